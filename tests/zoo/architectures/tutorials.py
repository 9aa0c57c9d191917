"""Models in the form that the well-known tutorials gave them."""

import tensorflow as tf
from tensorflow.keras import Model, layers

from architectures.registry import architecture, floats, ids


class CVAE(tf.keras.Model):
    """Sub-Sequentials as attributes; the outputs are deterministic (the mean is decoded)."""

    def __init__(self, latent):
        super().__init__()
        self.latent_dim = latent
        self.encoder = tf.keras.Sequential(
            [
                layers.InputLayer(input_shape=(6, 6, 1)),
                layers.Conv2D(3, 3, strides=2, activation="relu"),
                layers.Flatten(),
                layers.Dense(latent + latent),
            ]
        )
        self.decoder = tf.keras.Sequential(
            [
                layers.InputLayer(input_shape=(latent,)),
                layers.Dense(3 * 3 * 2, activation="relu"),
                layers.Reshape((3, 3, 2)),
                layers.Conv2DTranspose(1, 3, strides=2, padding="same"),
            ]
        )

    def call(self, x):
        mean, logvar = tf.split(self.encoder(x), 2, axis=1)
        return mean, logvar, tf.sigmoid(self.decoder(mean))


@architecture(x=floats("batch", 6, 6, 1))
def cvae():
    return CVAE(2)


class BahdanauAttention(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.W1 = layers.Dense(units)
        self.W2 = layers.Dense(units)
        self.V = layers.Dense(1)

    def call(self, query, values):
        score = self.V(tf.nn.tanh(self.W1(tf.expand_dims(query, 1)) + self.W2(values)))
        weights = tf.nn.softmax(score, axis=1)
        return tf.reduce_sum(weights * values, axis=1), weights


class Encoder(tf.keras.Model):
    def __init__(self, vocabulary, width, units):
        super().__init__()
        self.embedding = layers.Embedding(vocabulary, width)
        self.gru = layers.GRU(units, return_sequences=True, return_state=True)

    def call(self, x):
        return self.gru(self.embedding(x))


class Decoder(tf.keras.Model):
    def __init__(self, vocabulary, width, units):
        super().__init__()
        self.embedding = layers.Embedding(vocabulary, width)
        self.gru = layers.GRU(units, return_sequences=True, return_state=True)
        self.fc = layers.Dense(vocabulary)
        self.attention = BahdanauAttention(units)

    def call(self, x, hidden, enc_output):
        context, weights = self.attention(hidden, enc_output)
        x = tf.concat([tf.expand_dims(context, 1), self.embedding(x)], axis=-1)
        output, state = self.gru(x)
        return self.fc(tf.reshape(output, (-1, output.shape[2]))), state, weights


@architecture(ids=ids("batch", "time", below=8))
def nmt_encoder():
    return Encoder(8, 3, 4)


@architecture(
    x=ids("batch", 1, below=8), hidden=floats("batch", 4), enc_output=floats("batch", "time", 4)
)
def nmt_decoder():
    return Decoder(8, 3, 4)


def downsample(filters, apply_batchnorm=True):
    block = tf.keras.Sequential()
    block.add(layers.Conv2D(filters, 4, strides=2, padding="same", use_bias=False))
    if apply_batchnorm:
        block.add(layers.BatchNormalization())
    block.add(layers.LeakyReLU())
    return block


def upsample(filters):
    block = tf.keras.Sequential()
    block.add(layers.Conv2DTranspose(filters, 4, strides=2, padding="same", use_bias=False))
    block.add(layers.BatchNormalization())
    block.add(layers.ReLU())
    return block


@architecture(x=floats("batch", 8, 8, 2))
def pix2pix():
    """The U-Net generator: nested Sequentials, skips."""
    inputs = layers.Input((8, 8, 2))
    skips, x = [], inputs
    for block in [downsample(3, apply_batchnorm=False), downsample(4), downsample(4)]:
        x = block(x)
        skips.append(x)
    for block, skip in zip([upsample(4), upsample(3)], reversed(skips[:-1]), strict=True):
        x = layers.Concatenate()([block(x), skip])
    last = layers.Conv2DTranspose(2, 4, strides=2, padding="same", activation="tanh")
    return Model(inputs, last(x))


@architecture(call="list", inp=floats("batch", 8, 8, 1), tar=floats("batch", 8, 8, 1))
def discriminator():
    inp = layers.Input((8, 8, 1), name="inp")
    tar = layers.Input((8, 8, 1), name="tar")
    x = downsample(3, apply_batchnorm=False)(layers.concatenate([inp, tar]))
    x = layers.ZeroPadding2D()(downsample(4)(x))
    return Model([inp, tar], layers.Conv2D(1, 2)(x))


class UNet(tf.keras.Model):
    """Subclassed U-Net: encoder and decoder blocks in lists, nested Sequentials inside."""

    def __init__(self):
        super().__init__()
        self.down = [downsample(3, apply_batchnorm=False), downsample(4)]
        self.up = [upsample(3)]
        self.last = layers.Conv2D(1, 3, padding="same")

    def call(self, x, training=False):
        skips = []
        for block in self.down:
            x = block(x, training=training)
            skips.append(x)
        x = self.up[0](x, training=training)
        return self.last(tf.concat([x, skips[0]], axis=-1))


@architecture(x=floats("batch", 8, 8, 2))
def unet_lists():
    return UNet()


class DQN(tf.keras.Model):
    """A dueling network; the agent saves it beside its target."""

    def __init__(self, actions):
        super().__init__()
        self.features = layers.Dense(6, activation="relu")
        self.value = layers.Dense(1)
        self.advantage = layers.Dense(actions)

    def call(self, state):
        x = self.features(state)
        advantage = self.advantage(x)
        centred = advantage - tf.reduce_mean(advantage, axis=1, keepdims=True)
        return self.value(x) + centred


@architecture(state=floats("batch", 4))
def dqn():
    return DQN(3)


class ActorCritic(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.common = layers.Dense(5, activation="relu")
        self.actor = layers.Dense(2)
        self.critic = layers.Dense(1)

    def call(self, inputs):
        x = self.common(inputs)
        return self.actor(x), self.critic(x)


@architecture(inputs=floats("batch", 4))
def actor_critic():
    return ActorCritic()


class Caption(tf.keras.Model):
    """A dict of inputs, as the image captioning and BERT style models take it."""

    def __init__(self):
        super().__init__()
        self.tokens = layers.Embedding(9, 4)
        self.segments = layers.Embedding(2, 4)
        self.pool = layers.Dense(4, activation="tanh")

    def call(self, inputs):
        x = self.tokens(inputs["ids"]) + self.segments(inputs["segments"])
        return {"sequence": x, "pooled": self.pool(x[:, 0])}


@architecture(call="dict", ids=ids("batch", 5, below=9), segments=ids("batch", 5, below=2))
def dict_inputs():
    return Caption()
