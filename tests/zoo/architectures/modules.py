"""`tf.Module` and bare variables, without Keras."""

import itertools

import tensorflow as tf

from architectures.registry import architecture, floats, ids, strings


class MakeMore(tf.Module):
    """An embedding and two matrices as bare variables on the root."""

    def __init__(self):
        super().__init__()
        self.C = tf.Variable(tf.zeros((9, 3)), name="C")
        self.W1 = tf.Variable(tf.zeros((12, 5)))
        self.b1 = tf.Variable(tf.zeros((5,)))
        self.W2 = tf.Variable(tf.zeros((5, 9)))

    def __call__(self, context):
        x = tf.reshape(tf.gather(self.C, context), (-1, 12))
        return tf.matmul(tf.tanh(tf.matmul(x, self.W1) + self.b1), self.W2)


@architecture(context=ids("batch", 4, below=9))
def bare_variables():
    return MakeMore()


class Linear(tf.Module):
    """Variables made on the first call, under the module's name scope."""

    def __init__(self, units, name=None):
        super().__init__(name=name)
        self.units = units
        self.w = None

    @tf.Module.with_name_scope
    def __call__(self, x):
        if self.w is None:
            self.w = tf.Variable(tf.zeros((x.shape[-1], self.units)), name="w")
            self.b = tf.Variable(tf.zeros((self.units,)), name="b")
        return tf.matmul(x, self.w) + self.b


class Stack(tf.Module):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.layers = [Linear(5, name="linear_0"), Linear(4, name="linear_1")]
        self.heads = {"mean": Linear(2, name="mean"), "scale": Linear(2, name="scale")}

    def __call__(self, x):
        for layer in self.layers:
            x = tf.nn.relu(layer(x))
        return {name: head(x) for name, head in sorted(self.heads.items())}


@architecture(x=floats("batch", 6))
def nested_modules():
    return Stack(name="stack")


class Containers(tf.Module):
    """Variables in lists, dicts and tuples; one of them held twice."""

    def __init__(self):
        super().__init__()
        self.weights = [tf.Variable(tf.zeros((4, 4)), name=f"w{k}") for k in range(3)]
        self.biases = {name: tf.Variable(tf.zeros((4,))) for name in ("a", "b", "c")}
        self.pair = (tf.Variable(0.0), tf.Variable(0.0))
        self.alias = self.weights[0]

    def __call__(self, x):
        for weight, name in zip(self.weights, sorted(self.biases), strict=True):
            x = tf.tanh(tf.matmul(x, weight) + self.biases[name])
        return tf.matmul(x, self.alias) * self.pair[0] + self.pair[1]


@architecture(x=floats("batch", 4))
def variable_containers():
    return Containers()


class PINN(tf.Module):
    """float64 weights and biases in two lists, and a method that is not `__call__`."""

    def __init__(self, widths):
        super().__init__()
        pairs = list(itertools.pairwise(widths))
        self.weights = [tf.Variable(tf.zeros(pair, "float64")) for pair in pairs]
        self.biases = [tf.Variable(tf.zeros((pair[1],), "float64")) for pair in pairs]
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)

    @tf.function
    def predict(self, xt):
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            xt = tf.sin(tf.matmul(xt, weight) + bias)
        return tf.matmul(xt, self.weights[-1]) + self.biases[-1]


@architecture(method="predict", xt=floats("batch", 2, dtype="float64"))
def pinn():
    return PINN([2, 5, 5, 1])


class Typed(tf.Module):
    """Integers, booleans, float16 and a scalar, all of them read by the outputs."""

    def __init__(self):
        super().__init__()
        self.order = tf.Variable([0, 0, 0, 0], name="order", trainable=False)
        self.keep = tf.Variable([False] * 4, name="keep", trainable=False)
        self.half = tf.Variable(tf.zeros((4,), "float16"), name="half")
        self.bias = tf.Variable(0.0, name="bias")

    def __call__(self, x):
        x = tf.gather(x, self.order, axis=1) * tf.cast(self.keep, x.dtype)
        return x * tf.cast(self.half, x.dtype) + self.bias


@architecture(x=floats("batch", 4))
def typed_variables():
    return Typed()


class Ranked(tf.Module):
    """Tables that were filled while the model was trained."""

    def __init__(self):
        super().__init__()
        self.ranks = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, 0)
        self.scores = tf.lookup.experimental.DenseHashTable(
            tf.int64, tf.float32, 0.5, empty_key=-1, deleted_key=-2, initial_num_buckets=4
        )
        self.embedding = tf.Variable(tf.zeros((4, 3)))

    def __call__(self, words):
        ranks = tf.reshape(self.ranks.lookup(words), (-1,))  # a dense table wants a flat list
        return tf.gather(self.embedding, ranks) * self.scores.lookup(ranks)[:, tf.newaxis]


@architecture(words=strings("batch", 2))
def growing_tables():
    return Ranked()


class Hybrid(tf.Module):
    """A module that holds Keras layers, and a table of its own."""

    def __init__(self):
        super().__init__()
        self.dense = tf.keras.layers.Dense(4, activation="relu")
        self.towers = [tf.keras.layers.Dense(3), tf.keras.layers.Dense(3)]
        self.temperature = tf.Variable(1.0, name="temperature")

    def __call__(self, x):
        x = self.dense(x)
        return (self.towers[0](x) - self.towers[1](x)) / self.temperature


@architecture(x=floats("batch", 6))
def keras_in_module():
    return Hybrid()
