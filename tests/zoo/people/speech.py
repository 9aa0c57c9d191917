"""Sound and sequences: DeepSpeech, Tacotron, WaveNet, stateful text, seq2seq."""

import tensorflow as tf
from repository import KERAS_2, KERAS_3, fit_once, floats, golden, ids, repository, trained

layers = tf.keras.layers


def deepspeech(vocabulary=6):
    spectrogram = layers.Input((None, 9), name="input")
    x = layers.Reshape((-1, 9, 1))(spectrogram)
    x = layers.Conv2D(3, [5, 3], strides=[2, 2], padding="same", use_bias=False, name="conv_1")(x)
    x = layers.ReLU()(layers.BatchNormalization(name="conv_1_bn")(x))
    x = layers.Reshape((-1, x.shape[-2] * x.shape[-1]))(x)
    for i in (1, 2):
        recurrent = layers.GRU(4, return_sequences=True, reset_after=True, name=f"gru_{i}")
        x = layers.Bidirectional(recurrent, name=f"bidirectional_{i}", merge_mode="concat")(x)
        x = layers.Dropout(rate=0.5)(x)
    x = layers.TimeDistributed(layers.Dense(6, activation="relu"), name="dense_time")(x)
    return tf.keras.Model(spectrogram, layers.Dense(vocabulary + 1, activation="softmax")(x))


DEEPSPEECH = """
[models.NAME]
entry-point = "speech:deepspeech"
checkpoints = ["{here}/FILE"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.input = { dtype = "float32", shape = ["batch", TIME, 9] }
signatures.serving_default.outputs = ["letters"]
"""


def deepspeech_table(name, file, time):
    return DEEPSPEECH.replace("NAME", name).replace("FILE", file).replace("TIME", time)


def save_deepspeech(folder, save):
    model, sound = deepspeech(), floats(2, 12, 9)
    trained(model)
    save(model)
    golden(folder, {"input": sound}, {"letters": model(sound, training=False)})


@repository(KERAS_2, deepspeech_table("deepspeech", "deepspeech.h5", '"time"'))
def deep_speech(folder):
    save_deepspeech(folder, lambda model: model.save_weights(str(folder / "deepspeech.h5")))


@repository(KERAS_3, deepspeech_table("deepspeech-3", "model.keras", "12"))
def deep_speech_3(folder):
    """Of a fixed length: TimeDistributed of Keras 3 goes wrong where the length is free."""
    save_deepspeech(folder, lambda model: model.save(str(folder / "model.keras")))


class ZoneoutLSTMCell(layers.LSTMCell):
    def __init__(self, units, zoneout=0.1, **kwargs):
        super().__init__(units, **kwargs)
        self.zoneout = zoneout

    def call(self, inputs, states, training=False):
        output, new = super().call(inputs, states, training=training)
        mixed = [
            (1 - self.zoneout) * a + self.zoneout * b for a, b in zip(new, states, strict=True)
        ]
        return output, mixed


class LocationLayer(layers.Layer):
    def __init__(self, filters, units):
        super().__init__()
        self.conv = layers.Conv1D(filters, 5, padding="same", use_bias=False)
        self.dense = layers.Dense(units, use_bias=False, activation="tanh")

    def call(self, x):
        return self.dense(self.conv(x))


class Tacotron(tf.keras.Model):
    def __init__(self, symbols=9, mels=4):
        super().__init__()
        self.embedding = layers.Embedding(symbols, 5)
        self.convolutions = []
        for _ in range(2):
            conv = layers.Conv1D(5, 3, padding="same", use_bias=False)
            self.convolutions.append((conv, layers.BatchNormalization()))
        self.bilstm = layers.Bidirectional(layers.LSTM(4, return_sequences=True))
        self.prenet = tf.keras.Sequential([layers.Dense(4, activation="relu"), layers.Dropout(0.5)])
        self.location = LocationLayer(3, 4)
        self.decoder = layers.RNN(
            [ZoneoutLSTMCell(6), ZoneoutLSTMCell(5)], return_sequences=True, name="decoder"
        )
        self.projections = {"mel": layers.Dense(mels), "stop": layers.Dense(1)}

    def call(self, ids, training=False):
        x = self.embedding(ids)
        for conv, norm in self.convolutions:
            x = tf.nn.relu(norm(conv(x), training=training))
        x = self.bilstm(x)
        x = tf.concat([self.prenet(x, training=training), self.location(x)], axis=-1)
        x = self.decoder(x)
        return {name: layer(x) for name, layer in self.projections.items()}


def tacotron():
    return Tacotron()


@repository(
    KERAS_2,
    """
[models.tacotron]
entry-point = "speech:tacotron"
checkpoints = ["{here}/saved/ckpt_step*"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.ids = { dtype = "int32", shape = ["batch", "time"] }
signatures.serving_default.outputs = ["mel", "stop"]
""",
)
def tacotron2(folder):
    """Lists of tuples, dicts, an RNN over a list of own cells."""
    model, text = tacotron(), ids(2, 6, below=9)
    model(text)
    trained(model)
    optimizer = tf.keras.optimizers.legacy.Adam()
    fit_once(model, optimizer, text)
    checkpoint = tf.train.Checkpoint(step=tf.Variable(1), model=model, opt=optimizer)
    for step in (9000, 10000):
        checkpoint.write(str(folder / f"saved/ckpt_step{step}"))
    golden(folder, {"ids": text}, model(text))


class ResidualBlock(layers.Layer):
    def __init__(self, filters, dilation, **kwargs):
        super().__init__(**kwargs)
        conv = {"dilation_rate": dilation, "padding": "causal"}
        self.filter = layers.Conv1D(filters, 2, **conv)
        self.gate = layers.Conv1D(filters, 2, **conv)
        self.residual, self.skip = layers.Conv1D(filters, 1), layers.Conv1D(filters, 1)

    def call(self, x):
        z = tf.tanh(self.filter(x)) * tf.sigmoid(self.gate(x))
        return x + self.residual(z), self.skip(z)


class WaveNet(tf.keras.Model):
    def __init__(self, filters=4, stacks=2, layers_per_stack=2):
        super().__init__()
        self.first = layers.Conv1D(filters, 2, padding="causal")
        self.blocks = [
            [ResidualBlock(filters, 2**i) for i in range(layers_per_stack)] for _ in range(stacks)
        ]
        self.post = [layers.ReLU(), layers.Conv1D(filters, 1), layers.ReLU(), layers.Conv1D(5, 1)]

    def call(self, x):
        x, skips = self.first(x), []
        for stack in self.blocks:
            for block in stack:
                x, skip = block(x)
                skips.append(skip)
        x = tf.add_n(skips)
        for layer in self.post:
            x = layer(x)
        return x


def wavenet():
    return WaveNet()


WAVENET = """
[models.NAME]
entry-point = "speech:wavenet"
checkpoints = ["{here}/logdir/FILES"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.x = { dtype = "float32", shape = ["batch", "time", 1] }
signatures.serving_default.outputs = ["logits"]
"""


def save_wavenet(folder):
    model, sound = wavenet(), floats(2, 11, 1)
    model(sound)
    trained(model)
    optimizer = tf.keras.optimizers.Adam()
    fit_once(model, optimizer, sound)
    golden(folder, {"x": sound}, {"logits": model(sound)})
    return model, optimizer


@repository(KERAS_2, WAVENET.replace("NAME", "wavenet").replace("FILES", "ckpt-*"))
def wave_net(folder):
    model, optimizer = save_wavenet(folder)
    tf.train.Checkpoint(model=model, optimizer=optimizer).save(str(folder / "logdir/ckpt"))


@repository(KERAS_3, WAVENET.replace("NAME", "wavenet-3").replace("FILES", "ckpt-*"))
def wave_net_3(folder):
    """All of it in lists of lists: Keras 3 saves it below the optimizer alone."""
    model, optimizer = save_wavenet(folder)
    tf.train.Checkpoint(model=model, optimizer=optimizer).save(str(folder / "logdir/ckpt"))


def text_model(batch_size=1, stateful=True):
    return tf.keras.Sequential(
        [
            tf.keras.Input(shape=(None,), batch_size=batch_size, dtype="int32"),
            layers.Embedding(11, 4),
            layers.GRU(6, return_sequences=True, stateful=stateful),
            layers.LSTM(5, return_sequences=True, stateful=stateful),
            layers.Dense(11),
        ]
    )


TEXT = """
[models.NAME]
entry-point = "speech:text_model"
arguments = { batch_size = BATCH, stateful = STATEFUL }
checkpoints = ["{here}/training_checkpoints"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.ids = { dtype = "int32", shape = [BATCH, "time"] }
signatures.serving_default.outputs = ["logits"]
"""


def text_table(name, *, stateful):
    table = TEXT.replace("NAME", name).replace("STATEFUL", str(stateful).lower())
    return table.replace("BATCH", "1")


def save_text(folder, save):
    """Trained in batches of 5, used with a batch of one."""
    model, text = text_model(5), ids(5, 7, below=11)
    model(text)
    trained(model)
    save(model)
    single = text_model(1, stateful=False)
    for one, other in zip(single.trainable_variables, model.trainable_variables, strict=True):
        one.assign(other)
    golden(folder, {"ids": text[:1]}, {"logits": single(text[:1])})


@repository(KERAS_2, text_table("text", stateful=True))
def text_generation(folder):
    save_text(
        folder,
        lambda m: [m.save_weights(str(folder / f"training_checkpoints/ckpt_{n}")) for n in (9, 10)],
    )


@repository(KERAS_3, text_table("text-3", stateful=False))
def text_generation_3(folder):
    save_text(
        folder,
        lambda m: tf.train.Checkpoint(model=m).save(str(folder / "training_checkpoints/ckpt")),
    )


class Seq2SeqEncoder(tf.keras.Model):
    def __init__(self, vocabulary=10, units=5):
        super().__init__()
        self.units = units
        self.embedding = layers.Embedding(vocabulary, 4, mask_zero=True)
        self.rnn = layers.Bidirectional(
            layers.LSTM(units, return_sequences=True, return_state=True)
        )

    def call(self, x):
        output, *states = self.rnn(self.embedding(x))
        return output, tf.concat(states, axis=-1)

    def initial(self, batch):
        return tf.zeros((batch, self.units))


def seq2seq_encoder():
    return Seq2SeqEncoder()


@repository(
    KERAS_2,
    """
[models.seq2seq]
entry-point = "speech:seq2seq_encoder"
checkpoints = ["{here}/models/{a,b}/encoder.weights.h5"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.x = { dtype = "int64", shape = ["batch", "time"] }
signatures.serving_default.outputs = ["output", "state"]
""",
)
def seq2seq(folder):
    model, text = seq2seq_encoder(), ids(2, 6, below=10).astype("int64")
    model(text)
    trained(model)
    (folder / "models/b").mkdir(parents=True)
    model.save_weights(str(folder / "models/b/encoder.weights.h5"))
    golden(folder, {"x": text}, dict(zip(["output", "state"], model(text), strict=True)))
