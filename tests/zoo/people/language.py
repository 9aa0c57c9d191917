"""Text: attention between encoder and decoder, generation, embeddings, BERT of the model garden."""

import numpy as np
import tensorflow as tf
from repository import KERAS_2, KERAS_3, fit_once, golden, ids, repository, trained

layers = tf.keras.layers


class Encoder(layers.Layer):
    def __init__(self, units=6, vocabulary=9):
        super().__init__()
        self.embedding = layers.Embedding(vocabulary, units, mask_zero=True)
        self.rnn = layers.Bidirectional(
            merge_mode="sum", layer=layers.GRU(units, return_sequences=True)
        )

    def call(self, x):
        return self.rnn(self.embedding(x))


class CrossAttention(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.mha = layers.MultiHeadAttention(key_dim=units, num_heads=1)
        self.layernorm = layers.LayerNormalization()
        self.add = layers.Add()

    def call(self, x, context):
        out, scores = self.mha(query=x, value=context, return_attention_scores=True)
        self.last_attention_weights = tf.reduce_mean(scores, axis=1)
        return self.layernorm(self.add([x, out]))


class Decoder(layers.Layer):
    def __init__(self, units=6, vocabulary=9):
        super().__init__()
        self.embedding = layers.Embedding(vocabulary, units, mask_zero=True)
        self.rnn = layers.GRU(units, return_sequences=True, return_state=True)
        self.attention = CrossAttention(units)
        self.output_layer = layers.Dense(vocabulary)

    def call(self, context, x, state=None):
        x, state = self.rnn(self.embedding(x), initial_state=state)
        return self.output_layer(self.attention(x, context))


class Translator(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

    def call(self, inputs):
        context, x = inputs
        logits = self.decoder(self.encoder(context), x)
        if hasattr(logits, "_keras_mask"):
            del logits._keras_mask
        return logits


def translator():
    return Translator()


NMT = """
[models.NAME]
entry-point = "language:translator"
checkpoints = ["{here}/ckpts/FILES"]
verify.golden = "{here}/golden.npz"
[models.NAME.signatures.serving_default]
inputs.context = { dtype = "int64", shape = ["batch", "source"] }
inputs.x = { dtype = "int64", shape = ["batch", "target"] }
outputs = ["logits"]
"""


def save_translator(folder, ending):
    model = translator()
    context, x = (ids(2, n, below=9, seed=n).astype("int64") for n in (7, 5))
    model((context, x))
    trained(model)
    (folder / "ckpts").mkdir()
    for epoch in (1, 2):
        model.save_weights(str(folder / f"ckpts/cp-{epoch:02d}{ending}"))
    golden(folder, {"context": context, "x": x}, {"logits": model((context, x))})


@repository(KERAS_2, NMT.replace("NAME", "nmt").replace("FILES", "cp-*.ckpt"))
def nmt(folder):
    save_translator(folder, ".ckpt")


@repository(KERAS_3, NMT.replace("NAME", "nmt-3").replace("FILES", "cp-*.weights.h5"))
def nmt_3(folder):
    save_translator(folder, ".weights.h5")


CHARACTERS = ["a", "b", "c", "d", "e", " "]


class CharacterModel(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.embedding = layers.Embedding(len(CHARACTERS) + 1, 5)
        self.gru = layers.GRU(6, return_sequences=True, return_state=True)
        self.dense = layers.Dense(len(CHARACTERS) + 1)

    def call(self, x, states):
        x, states = self.gru(self.embedding(x), initial_state=states)
        return self.dense(x), states


class OneStep(tf.keras.Model):
    """What is served: characters before and behind the network that was trained."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.ids_from_chars = layers.StringLookup(vocabulary=CHARACTERS, mask_token=None)
        self.chars_from_ids = layers.StringLookup(
            vocabulary=CHARACTERS, invert=True, mask_token=None
        )

    @tf.function
    def generate_one_step(self, inputs, states):
        found = self.ids_from_chars(tf.strings.unicode_split(inputs, "UTF-8")).to_tensor()
        logits, states = self.model(found, states)
        return self.chars_from_ids(tf.argmax(logits[:, -1], axis=-1)), states


def one_step():
    model = CharacterModel()
    model(tf.zeros((1, 3), tf.int64), tf.zeros((1, 6)))
    return OneStep(model)


ONE_STEP = """
[models.NAME]
entry-point = "language:one_step"
checkpoints = ["{here}/training_checkpoints/FILES"]
verify.golden = "{here}/golden.npz"
[models.NAME.signatures.serving_default]
method = "generate_one_step"
inputs.inputs = { dtype = "string", shape = ["batch"] }
inputs.states = { dtype = "float32", shape = ["batch", 6] }
outputs = ["characters", "states"]
"""


def save_one_step(folder, ending):
    step = one_step()
    trained(step.model)
    (folder / "training_checkpoints").mkdir()
    for epoch in (1, 30):
        step.model.save_weights(str(folder / f"training_checkpoints/ckpt_{epoch}{ending}"))
    texts = np.array(["abc", "dab"])
    states = np.linspace(-1, 1, 12, dtype="float32").reshape(2, 6)
    characters, after = step.generate_one_step(tf.constant(texts), tf.constant(states))
    np.savez(
        folder / "golden.npz",
        in_inputs=texts,
        in_states=states,
        out_characters=characters.numpy().astype(str),
        out_states=after,
    )


@repository(KERAS_2, ONE_STEP.replace("NAME", "one-step").replace("FILES", "ckpt_*"))
def text_one_step(folder):
    save_one_step(folder, "")


@repository(KERAS_3, ONE_STEP.replace("NAME", "one-step-3").replace("FILES", "ckpt_*.weights.h5"))
def text_one_step_3(folder):
    save_one_step(folder, ".weights.h5")


class OnDeviceEmbedding(layers.Layer):
    def __init__(self, rows, width, **options):
        super().__init__(**options)
        self.shape_of_table = (rows, width)

    def build(self, input_shape):
        self.embeddings = self.add_weight(name="embeddings", shape=self.shape_of_table)

    def call(self, x):
        return tf.gather(self.embeddings, x)

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.shape_of_table[1])


class EncoderBlock(layers.Layer):
    """The model garden's: its layers are made in `build`, and it tells its output's shape."""

    def build(self, input_shape):
        width = input_shape[0][-1]
        self._attention_layer = layers.MultiHeadAttention(2, 3, name="self_attention")
        self._attention_layer_norm = layers.LayerNormalization(name="self_attention_layer_norm")
        self._intermediate_dense = layers.EinsumDense(
            "abc,cd->abd", output_shape=(None, 7), bias_axes="d", name="intermediate"
        )
        self._output_dense = layers.EinsumDense(
            "abc,cd->abd", output_shape=(None, width), bias_axes="d", name="output"
        )
        self._output_layer_norm = layers.LayerNormalization(name="output_layer_norm")
        super().build(input_shape)

    def call(self, inputs):
        x, mask = inputs
        x = self._attention_layer_norm(x + self._attention_layer(x, x, attention_mask=mask))
        return self._output_layer_norm(
            x + self._output_dense(tf.nn.gelu(self._intermediate_dense(x)))
        )

    def compute_output_shape(self, input_shape):
        return input_shape[0]


class AttentionMask(layers.Layer):
    def call(self, mask):
        return tf.repeat(mask[:, None, :], tf.shape(mask)[1], axis=1)


class FirstToken(layers.Layer):
    def call(self, x):
        return x[:, 0]


def bert_encoder():
    names = ("input_word_ids", "input_mask", "input_type_ids")
    words, mask, types = (layers.Input((None,), dtype="int32", name=name) for name in names)
    x = OnDeviceEmbedding(11, 6, name="word_embeddings")(words)
    x = layers.Add()([x, OnDeviceEmbedding(2, 6, name="type_embeddings")(types)])
    x = layers.LayerNormalization(name="embeddings_layer_norm")(x)
    attention = AttentionMask()(mask)
    for number in range(2):
        x = EncoderBlock(name=f"transformer_layer_{number}")([x, attention])
    pooled = layers.Dense(6, activation="tanh", name="pooler_transform")(FirstToken()(x))
    return tf.keras.Model([words, mask, types], [x, pooled], name="bert_encoder")


GARDEN = """
[models.NAME]
entry-point = "language:bert_encoder"
checkpoints = ["{here}/bert_model.ckpt-*"]
verify.golden = "{here}/golden.npz"
[models.NAME.signatures.serving_default]
inputs.input_word_ids = { dtype = "int32", shape = ["batch", "length"] }
inputs.input_mask = { dtype = "int32", shape = ["batch", "length"] }
inputs.input_type_ids = { dtype = "int32", shape = ["batch", "length"] }
outputs = ["sequence", "pooled"]
"""


def save_garden(folder):
    model, words = bert_encoder(), ids(2, 5, below=11)
    mask = np.array([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]], "int32")
    feeds = [words, mask, (words > 5).astype("int32")]
    model(feeds)
    trained(model)
    optimizer = tf.keras.optimizers.Adam()
    fit_once(model, optimizer, feeds)
    tf.train.Checkpoint(model=model, optimizer=optimizer).save(str(folder / "bert_model.ckpt"))
    names = ("input_word_ids", "input_mask", "input_type_ids")
    outputs = dict(zip(("sequence", "pooled"), model(feeds), strict=True))
    golden(folder, dict(zip(names, feeds, strict=True)), outputs)


@repository(KERAS_2, GARDEN.replace("NAME", "garden"))
def garden(folder):
    save_garden(folder)


@repository(KERAS_3, GARDEN.replace("NAME", "garden-3"))
def garden_3(folder):
    save_garden(folder)
