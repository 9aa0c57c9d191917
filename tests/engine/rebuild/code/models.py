"""Models as people write them, in both Kerases."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf
from tensorflow import keras

L = keras.layers


def sequential():
    return keras.Sequential([keras.Input((8,)), L.Dense(4, activation="relu"), L.Dense(3)])


def sequential_unbuilt():
    return keras.Sequential([L.Dense(4), L.Dense(3)])


def functional_named():
    image = keras.Input((None, None, 3), name="image")
    x = L.GlobalAveragePooling2D()(L.Conv2D(4, 3)(image))
    return keras.Model(image, [L.Dense(2, name="logits")(x), L.Dense(1, name="score")(x)])


def functional_two(first="left", second="right"):
    a, b = keras.Input((3,), name=first), keras.Input((3,), name=second)
    return keras.Model([a, b], L.Subtract(name="difference")([a, b]) + L.Dense(3)(a))


def functional_two_automatic():
    a, b = keras.Input((3,)), keras.Input((3,))
    return keras.Model([a, b], L.Dense(3)(a) - 2.0 * b)


def functional_dict():
    inputs = {"b": keras.Input((3,), name="b"), "a": keras.Input((3,), name="a")}
    return keras.Model(inputs, {"out": L.Dense(3)(inputs["a"]) - inputs["b"]})


def embedding():
    return keras.Sequential([keras.Input((None,)), L.Embedding(9, 4), L.Dense(2)])


def many_before():
    """Automatic names of Keras count what was built before."""
    for _ in range(3):
        keras.Sequential([keras.Input((8,)), L.Dense(1)])
    return sequential()


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [L.Dense(4), L.Dense(4)]
        self.parts = {"head": L.Dense(2)}

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.parts["head"](x)


class PositionalName(keras.Model):
    """Keras refuses the call for an argument of its own."""

    def build(self, shape):
        self.scale = self.add_weight("scale", shape=(int(shape[-1]),))

    def call(self, x):
        return x * self.scale


class Pair(keras.Model):
    """Two arguments in `call`."""

    def __init__(self):
        super().__init__()
        self.dense = L.Dense(3)

    def call(self, a, b, training=None):
        return self.dense(a) - b


class Search(Pair):
    """The same, under names that say which is which."""

    def call(self, query, document, training=None):
        return super().call(query, document)


class OneList(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = L.Dense(3)

    def call(self, inputs):
        a, b = inputs[0], inputs[1]
        return self.dense(a) - b


class TakesApart(OneList):
    def call(self, pair):
        query, document = pair
        return self.dense(query) - document


class TakesApartOtherThings(OneList):
    """What these names are of the inputs, nobody can read here."""

    def call(self, pair):
        pair = pair[::-1]
        query, document = pair
        return self.dense(query) - document


class ModuleTakesApart(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones([3]))

    @tf.function
    def __call__(self, pair):
        [query, document] = pair
        return query * self.w - document


class ModuleTakesApartAnyNumber(ModuleTakesApart):
    def __call__(self, *pair):
        query, document = pair
        return query * self.w - document


class OneDict(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = L.Dense(3)

    def call(self, inputs):
        return self.dense(inputs["zeta"]) - inputs["alpha"]


class AnyOrder(keras.Model):
    """Takes a list and a dict alike, in different orders."""

    def __init__(self):
        super().__init__()
        self.dense = L.Dense(3)

    def call(self, inputs):
        a, b = tf.nest.flatten(inputs)
        return self.dense(a) - b


class TrainsByDefault(keras.Model):
    def __init__(self):
        super().__init__()
        self.dropout, self.dense = L.Dropout(0.9), L.Dense(4)

    def call(self, x, training=True):
        return self.dropout(self.dense(x), training=training)


class InnerTrainsByDefault(keras.Model):
    """Says nothing about training; the layer inside says yes."""

    def __init__(self):
        super().__init__()
        self.inner = TrainsByDefault()

    def call(self, x):
        return self.inner(x)


class ModuleAroundKeras(tf.Module):
    def __init__(self):
        super().__init__()
        self.inner = TrainsByDefault()

    def __call__(self, x):
        return self.inner(x)

    def doubled(self, x, scale=2.0):
        return self.inner(x) * scale


class AlwaysTrains(keras.Model):
    def __init__(self):
        super().__init__()
        self.norm, self.dense = L.BatchNormalization(), L.Dense(2)

    def call(self, x):
        return self.dense(self.norm(x, training=True))


def functional_always_trains():
    x = keras.Input((4,))
    return keras.Model(x, L.Dense(2)(L.BatchNormalization(name="norm")(x, training=True)))


class InFunction(tf.Module):
    """Writes batch statistics inside a nested `tf.function` with control flow."""

    def __init__(self):
        super().__init__()
        self.norm = L.BatchNormalization()
        self.norm.build((None, 4))

    @tf.function
    def step(self, x):
        return tf.cond(tf.reduce_sum(x) > 0.0, lambda: self.norm(x, training=True), lambda: x * 2.0)

    def __call__(self, x):
        return self.step(x)


class Bare(tf.Module):
    def __init__(self):
        super().__init__()
        self.groups = {"w": [tf.Variable(tf.random.normal((8, 3)))]}

    @tf.function(input_signature=[tf.TensorSpec((None, 8), tf.float32, name="features")])
    def __call__(self, features):
        return features @ self.groups["w"][0]

    def tripled(self, features):
        return 3.0 * self(features)


class Plain:
    """No TensorFlow base class at all."""

    def __init__(self):
        self.weights = [tf.Variable(tf.ones((2, 2)))]

    def __call__(self, x):
        return x @ self.weights[0]


def closure():
    w = tf.Variable(tf.ones((2, 2)))

    def predict(x):
        return x @ w

    return predict


_HIDDEN = {}


def untracked():
    _HIDDEN["w"] = tf.Variable(tf.ones((2, 2)), name="hidden")
    model = Plain()
    model.__class__ = type("Untracked", (Plain,), {"__call__": lambda self, x: x @ _hidden()})
    return model


def _hidden():
    return _HIDDEN["w"]


class MakesLayersInBuild(L.Layer):
    """Keras 3 asks it for a shape and does not call it, so that nothing calls the inner layer."""

    def build(self, input_shape):
        self.inner = L.Dense(input_shape[-1])
        self.built = True

    def call(self, x):
        return self.inner(x)

    def compute_output_shape(self, input_shape):
        return input_shape


def layers_made_in_build():
    inputs = keras.Input((8,))
    return keras.Model(inputs, L.Dense(3)(MakesLayersInBuild()(inputs)))


class Table(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 2)))
        self.lookup = {
            "words": tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2]), 0
            )
        }

    def __call__(self, words):
        return tf.gather(self.w, self.lookup["words"].lookup(words))

    def last_letter(self, texts):
        letters = tf.strings.unicode_split(texts, "UTF-8").to_tensor()
        return self(letters[:, -1])


def stateful():
    return keras.Sequential(
        [
            keras.Input(batch_shape=(1, None, 3)),
            L.LSTM(4, stateful=True, return_sequences=True),
            L.Dense(2),
        ]
    )


class Stateful(keras.Model):
    """Its state is made in the first call, and changed by it."""

    def __init__(self):
        super().__init__()
        self.lstm, self.dense = L.LSTM(4, stateful=True, bias_initializer="ones"), L.Dense(2)

    def call(self, x):
        return self.dense(self.lstm(x))


class Counter(tf.Module):
    def __init__(self):
        super().__init__()
        self.calls, self.w = tf.Variable(7), tf.Variable(tf.ones((2, 2)))

    def __call__(self, x):
        self.calls.assign_add(1)
        return x @ self.w


class Strided(keras.Model):
    """Nothing is left of images below 15 pixels."""

    def __init__(self):
        super().__init__()
        self.convs = [L.Conv2D(2, 3, strides=2), L.Conv2D(2, 3, strides=2), L.Conv2D(2, 3)]

    def call(self, x):
        for conv in self.convs:
            x = conv(x)
        return x


class NeedsSize(tf.Module):
    """Reads a free size as a Python number."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 2)))

    def __call__(self, x):
        return tf.reshape(x, (x.shape[0] * 2, 2)) @ tf.transpose(self.w)


class Result(NamedTuple):
    mean: tf.Tensor
    spread: tf.Tensor


class Returns(tf.Module):
    """One method per form of a result."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((2, 2)))

    def __call__(self, x):
        return x @ self.w

    def as_dict(self, x):
        return {"z": x @ self.w, "a": tf.reduce_sum(x), "in": {"deep": x, "list": [x, x]}}

    def as_tuple(self, x):
        return x @ self.w, (x, [x + 1.0])

    def as_named(self, x):
        return Result(x @ self.w, x)

    def as_none(self, x):
        return x @ self.w, None

    def as_ragged(self, x):
        return tf.RaggedTensor.from_tensor(x @ self.w)

    def as_object(self, x):
        return Returns

    def eager_only(self, x):
        return (x @ self.w).numpy()

    def branching(self, x):
        if tf.reduce_sum(x) > 0.0:
            return self._branch(x)
        return x @ self.w

    def _branch(self, x):
        while tf.reduce_sum(x) < 100.0:
            x = x * 2.0
        return x

    def masked(self, x):
        return tf.boolean_mask(x, x[:, 0] > 0.0) @ self.w


def mixed():
    return keras.Sequential(
        [keras.Input((8,)), L.Dense(4, dtype="mixed_float16"), L.Dense(3, dtype="mixed_float16")]
    )


def mixed_subclassed():
    model = Subclassed()
    model.blocks[0] = L.Dense(4, dtype="mixed_float16")
    return model


def integer_output():
    x = keras.Input((3,))
    return keras.Model(x, L.Lambda(lambda t: tf.argmax(t, -1))(L.Dense(3)(x)))


def recurrent():
    words = keras.Input((None,), dtype="int32", name="words")
    x = L.Bidirectional(L.GRU(4, return_sequences=True))(L.Embedding(9, 4, mask_zero=True)(words))
    x = L.MultiHeadAttention(2, 3)(x, x)
    return keras.Model(words, L.Dense(2, name="tags")(x))


class RecurrentOfKeras2(tf.Module):
    def __init__(self, go_backwards=False):
        super().__init__()
        from tf_keras.layers import LSTM

        self.layer = LSTM(3, go_backwards=go_backwards)
        self.layer.build((None, 5, 2))

    def __call__(self, x):
        return self.layer(x)
