"""Image captioning with visual attention: an encoder and a decoder in one checkpoint."""

import tensorflow as tf
from repository import KERAS_2, fit_once, floats, golden, ids, repository, trained

layers = tf.keras.layers


class BahdanauAttention(tf.keras.Model):
    def __init__(self, units):
        super().__init__()
        self.W1 = layers.Dense(units)
        self.W2 = layers.Dense(units)
        self.V = layers.Dense(1)

    def call(self, features, hidden):
        score = self.V(tf.nn.tanh(self.W1(features) + self.W2(tf.expand_dims(hidden, 1))))
        weights = tf.nn.softmax(score, axis=1)
        return tf.reduce_sum(weights * features, axis=1), weights


class CNN_Encoder(tf.keras.Model):
    def __init__(self, width):
        super().__init__()
        self.fc = layers.Dense(width)

    def call(self, x):
        return tf.nn.relu(self.fc(x))


class RNN_Decoder(tf.keras.Model):
    def __init__(self, width, units, vocab_size):
        super().__init__()
        self.units = units
        self.embedding = layers.Embedding(vocab_size, width)
        self.gru = layers.GRU(units, return_sequences=True, return_state=True)
        self.fc1 = layers.Dense(units)
        self.fc2 = layers.Dense(vocab_size)
        self.attention = BahdanauAttention(units)

    def call(self, x, features, hidden):
        context, weights = self.attention(features, hidden)
        x = self.embedding(x)
        x = tf.concat([tf.expand_dims(context, 1), x], axis=-1)
        output, state = self.gru(x)
        x = tf.reshape(self.fc1(output), (-1, self.units))
        return self.fc2(x), state, weights


def encoder():
    return CNN_Encoder(6)


def decoder(vocab_size=11):
    return RNN_Decoder(6, 5, vocab_size)


@repository(
    KERAS_2,
    """
[models.caption-encoder]
entry-point = "captioning:encoder"
checkpoints = ["{here}/checkpoints/train"]
restore.root = "encoder"
verify.golden = "{here}/encoder.npz"
signatures.serving_default.inputs.features = { dtype = "float32", shape = ["batch", 9, 4] }
signatures.serving_default.outputs = ["y"]

[models.caption-decoder]
entry-point = "captioning:decoder"
checkpoints = ["{here}/checkpoints/train"]
verify.golden = "{here}/decoder.npz"
[models.caption-decoder.signatures.serving_default]
outputs = ["logits", "state", "weights"]
[models.caption-decoder.signatures.serving_default.inputs]
x = { dtype = "int32", shape = ["batch", 1] }
features = { dtype = "float32", shape = ["batch", 9, 6] }
hidden = { dtype = "float32", shape = ["batch", 5] }
""",
)
def image_captioning(folder):
    enc, dec = encoder(), decoder()
    image, word, hidden = floats(2, 9, 4), ids(2, 1, below=11), floats(2, 5, seed=2)
    features = enc(image)
    dec(word, features, hidden)
    trained(enc, dec)
    optimizer = tf.keras.optimizers.Adam()
    fit_once(enc, optimizer, image)
    ckpt = tf.train.Checkpoint(encoder=enc, decoder=dec, optimizer=optimizer)
    manager = tf.train.CheckpointManager(ckpt, str(folder / "checkpoints/train"), max_to_keep=5)
    for _ in range(2):
        manager.save()
    golden(folder, {"features": image}, {"y": enc(image)}, "encoder")
    features = floats(2, 9, 6, seed=3)
    outputs = dec(word, features, hidden)
    golden(
        folder,
        {"x": word, "features": features, "hidden": hidden},
        dict(zip(["logits", "state", "weights"], outputs, strict=True)),
        "decoder",
    )
