"""Subclassed models: layers as attributes, in lists, dicts and blocks."""

import keras
import tensorflow as tf
from tensorflow.keras import layers

from architectures.registry import architecture, floats


class MLP(tf.keras.Model):
    def __init__(self, units):
        super().__init__()
        self.dense1 = layers.Dense(units, activation="relu")
        self.norm = layers.BatchNormalization()
        self.dropout = layers.Dropout(0.3)
        self.dense2 = layers.Dense(2)

    def call(self, x, training=False):
        x = self.norm(self.dense1(x), training=training)
        return self.dense2(self.dropout(x, training=training))


@architecture(x=floats("batch", 6))
def mlp():
    return MLP(5)


class ListModel(tf.keras.Model):
    """Layers appended to a list, as in many PINN and MLP scripts."""

    def __init__(self, widths):
        super().__init__()
        self.hidden = []
        for width in widths:
            self.hidden.append(layers.Dense(width, activation="tanh"))
        self.out = layers.Dense(1)

    def call(self, x):
        for layer in self.hidden:
            x = layer(x)
        return self.out(x)


@architecture(x=floats("batch", 6))
def layer_list():
    return ListModel([5, 5, 4])


class DictModel(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.heads = {"mean": layers.Dense(2), "scale": layers.Dense(2, activation="softplus")}
        self.towers = {str(k): [layers.Dense(4, activation="relu")] for k in range(2)}

    def call(self, x):
        x = self.towers["0"][0](x) + self.towers["1"][0](x)
        return {name: head(x) for name, head in self.heads.items()}


@architecture(x=floats("batch", 6))
def layer_dict():
    return DictModel()


class NestedLists(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.stages = [[layers.Dense(4, activation="relu") for _ in range(2)] for _ in range(2)]
        self.pair = (layers.LayerNormalization(), layers.Dense(2))

    def call(self, x):
        for stage in self.stages:
            for layer in stage:
                x = layer(x)
        norm, head = self.pair
        return head(norm(x))


@architecture(x=floats("batch", 4))
def nested_lists():
    return NestedLists()


class Block(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units)
        self.norm = layers.BatchNormalization()

    def build(self, input_shape):
        self.dense.build(input_shape)
        self.norm.build((None, self.units))
        self.scale = self.add_weight(name="scale", shape=(self.units,), initializer="ones")
        super().build(input_shape)

    def call(self, x, training=False):
        return tf.nn.relu(self.norm(self.dense(x), training=training)) * self.scale


class BlockModel(tf.keras.Model):
    """Custom blocks, one in an attribute and two in a list, a Sequential and a dict."""

    def __init__(self):
        super().__init__()
        self.pre = tf.keras.Sequential([layers.Dense(5), layers.Activation("tanh")])
        self.first = Block(5)
        self.blocks = [Block(5), Block(4)]
        self.head = {"out": layers.Dense(3)}

    def call(self, x, training=False):
        x = self.first(self.pre(x), training=training)
        for block in self.blocks:
            x = block(x, training=training)
        return self.head["out"](x)


@architecture(x=floats("batch", 6))
def block_model():
    return BlockModel()


class Residual(tf.keras.Model):
    """The ResNet of the subclassing guide: the shortcut exists only where it is needed."""

    def __init__(self, filters):
        super().__init__()
        self.conv2a = layers.Conv2D(filters, 1)
        self.bn2a = layers.BatchNormalization()
        self.conv2b = layers.Conv2D(filters, 3, padding="same")
        self.bn2b = layers.BatchNormalization()
        self.shortcut = layers.Conv2D(filters, 1, use_bias=False)

    def call(self, x, training=False):
        y = tf.nn.relu(self.bn2a(self.conv2a(x), training=training))
        y = self.bn2b(self.conv2b(y), training=training)
        return tf.nn.relu(y + self.shortcut(x))


@architecture(x=floats("batch", 5, 5, 2))
def resnet_block():
    return tf.keras.Sequential([Residual(3), Residual(4), layers.GlobalAveragePooling2D()])


class Unused(tf.keras.Model):
    """A layer that is made and never called, and a default of training=True."""

    def __init__(self):
        super().__init__()
        self.first = layers.Dense(4, activation="relu")
        self.never = layers.Dense(7)
        self.dropout = layers.Dropout(0.5)
        self.last = layers.Dense(2)

    def call(self, x, training=True):
        return self.last(self.dropout(self.first(x), training=training))


@architecture(x=floats("batch", 6))
def unused_layer():
    return Unused()


class Ensemble(tf.keras.Model):
    """Whole models in a list, one of them shared between two attributes."""

    def __init__(self):
        super().__init__()
        self.members = [MLP(3) for _ in range(2)]
        self.favourite = self.members[0]

    def call(self, x, training=False):
        votes = [member(x, training=training) for member in self.members]
        return tf.add_n(votes) / len(votes) + self.favourite(x, training=training)


@architecture(x=floats("batch", 6))
def ensemble():
    return Ensemble()


class TwoArguments(tf.keras.Model):
    """Inputs as separate arguments of `call`, and as several outputs."""

    def __init__(self):
        super().__init__()
        self.query = layers.Dense(4)
        self.key = layers.Dense(4)
        self.merge = layers.Dense(3)

    def call(self, query, key, training=False):
        joined = tf.concat([self.query(query), self.key(key)], axis=-1)
        return self.merge(joined), tf.reduce_sum(joined, axis=-1)


@architecture(query=floats("batch", 4), key=floats("batch", 3))
def two_arguments():
    return TwoArguments()


class Compiled(tf.keras.Model):
    """A metric and a loss tracker held by the model, and `call` as a tf.function."""

    def __init__(self):
        super().__init__()
        self.encoder = tf.keras.Sequential([layers.Dense(4, activation="relu"), layers.Dense(2)])
        self.decoder = tf.keras.Sequential([layers.Dense(4, activation="relu"), layers.Dense(6)])
        self.loss_tracker = tf.keras.metrics.Mean(name="loss")

    @tf.function
    def call(self, x):
        return self.decoder(self.encoder(x))


@architecture(x=floats("batch", 6))
def autoencoder():
    return Compiled()


class StandaloneBlock(keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.dense = keras.layers.Dense(units, activation="relu")
        self.norm = keras.layers.LayerNormalization()

    def call(self, x):
        return self.norm(self.dense(x))


class StandaloneModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.block = StandaloneBlock(4)
        self.stack = [StandaloneBlock(4) for _ in range(2)]
        self.out = keras.layers.Dense(2)

    def call(self, x):
        x = self.block(x)
        for block in self.stack:
            x = block(x)
        return self.out(x)


@architecture(x=floats("batch", 6), standalone=True)
def standalone_subclass():
    return StandaloneModel()
