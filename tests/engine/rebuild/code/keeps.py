"""Models that keep what was never restored, and some that only look like it."""

from __future__ import annotations

import itertools
import uuid

import numpy as np
import tensorflow as tf
from tensorflow import keras

L = keras.layers


class ReadsScalarEarly(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")
        self.temperature = tf.Variable(1.0, name="temperature")
        self.scale = float(self.temperature)

    def __call__(self, x):
        return x @ self.w / self.scale


class CachesAtFirstCall(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")
        self.words = tf.Variable(tf.random.normal((6, 4)), name="words")
        self.normal = None

    def __call__(self, x):
        if self.normal is None:
            self.normal = tf.math.l2_normalize(self.words, 1)
        return x @ self.w @ tf.transpose(self.normal)


class CopiesKernel(keras.Model):
    """As NumPy array: a constant inside the graph."""

    copy = staticmethod(lambda kernel: kernel.numpy())

    def __init__(self):
        super().__init__()
        self.dense, self.projection = L.Dense(4), L.Dense(4, name="projection")
        self.projection.build((None, 4))
        self.copied = self.copy(self.projection.kernel)

    def call(self, x):
        return tf.matmul(self.dense(x), self.copied)


class CopiesKernelAsTensor(CopiesKernel):
    """As tensor: a constant that the graph captures."""

    copy = staticmethod(tf.identity)


class CopiesTransposedAndReads(tf.Module):
    """Weights that are meant to be tied, and are at first: the variable itself is read as well."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.random.normal((4, 6)), name="w")
        self.back = self.w.numpy().T

    def __call__(self, x):
        return tf.matmul(x @ self.w, self.back)


class CopiesScaled(CopiesKernel):
    copy = staticmethod(lambda kernel: kernel.numpy() / np.linalg.norm(kernel.numpy()))


class CopiesSlice(CopiesKernel):
    copy = staticmethod(lambda kernel: kernel.numpy()[:, :2])


class CopiesInClosure(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.random.normal((4, 4)), name="w")
        copied = self.w.numpy()
        self.scale = lambda x: x @ copied

    def __call__(self, x):
        return self.scale(x) + x @ self.w


class DecidesByInitialValue(tf.Module):
    def __init__(self, default=10.0):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")
        self.gate = tf.Variable(default, name="gate")
        self.uses_gate = bool(self.gate < 9.0)

    def __call__(self, x):
        return x @ self.w * (3.0 * self.gate if self.uses_gate else 1.0)


class DecidesByZero(DecidesByInitialValue):
    def __init__(self):
        super().__init__(0.0)
        self.uses_gate = bool(self.gate > 0.0)


class DrawsWhenMade(tf.Module):
    """A fixed random projection that no checkpoint holds."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")
        self.mixing = np.random.default_rng().normal(size=(4, 4)).astype("float32")

    def __call__(self, x):
        return x @ self.mixing @ self.w


class SeedsWhenMade(DrawsWhenMade):
    def __init__(self):
        super().__init__()
        self.mixing = np.random.default_rng(5).normal(size=(4, 4)).astype("float32")


def draws_by_the_shared_generator():
    model = SeedsWhenMade()
    model.mixing = np.random.normal(size=(4, 4)).astype("float32")
    return model


_DRAWN = np.random.normal(size=(4, 4)).astype("float32")


def draws_in_a_module_variable():
    x = keras.Input((4,))
    return keras.Model(x, L.Lambda(lambda y: tf.matmul(y, _DRAWN))(L.Dense(4)(x)))


class CopiesWhileBuilding(L.Layer):
    """In a Functional model, whose large weights get their initial values late."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(4, 20000), name="kernel")
        with tf.init_scope():
            self.copied = tf.convert_to_tensor(self.kernel)[:, :3] * 2.0

    def call(self, x):
        return tf.matmul(x, self.copied) + tf.matmul(x, self.kernel)[:, -3:]


def copies_while_building():
    x = keras.Input((4,))
    return keras.Model(x, CopiesWhileBuilding(name="layer")(x))


class LooksUpInitialValues(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")
        pairs = tf.lookup.KeyValueTensorInitializer(tf.range(4), tf.reduce_sum(self.w, 0))
        self.table = tf.lookup.StaticHashTable(pairs, 0.0)

    def __call__(self, x):
        return x @ self.w + self.table.lookup(tf.range(4))


class LooksUpInOneForUnknownWords(tf.Module):
    """Two objects with one handle, of which the outer one does not tell what it holds."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")
        first = tf.cast(tf.reduce_sum(self.w[0]), tf.int64)
        places = (first + tf.range(4, dtype=tf.int64)) % 4
        pairs = tf.lookup.KeyValueTensorInitializer(tf.constant(["a", "b", "c", "d"]), places)
        self.table = tf.lookup.StaticVocabularyTable(pairs, 1)

    def __call__(self, x):
        found = self.table.lookup(tf.constant(["a", "b", "c", "d"]))
        return x @ self.w + tf.cast(found, tf.float32)


class LooksUpWhatItHolds(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")
        words = tf.constant(["a", "b", "c", "d"])
        pairs = tf.lookup.KeyValueTensorInitializer(words, tf.range(4, dtype=tf.int64))
        self.table = tf.lookup.StaticVocabularyTable(pairs, 1)

    __call__ = LooksUpInOneForUnknownWords.__call__


class NamesByChance(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")
        self.gamma = tf.Variable(tf.ones(4), name=f"gamma_{uuid.uuid4().hex}")
        self.scale = float(self.gamma[0])

    def __call__(self, x):
        return x @ self.w * self.gamma * self.scale


class MakesInsideAFunction(tf.Module):
    """Where TensorFlow gives the initial value last, so nothing can begin with another one."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")
        self.shift = None
        self.make()
        self.scale = float(self.shift[0])

    @tf.function
    def make(self):
        if self.shift is None:
            self.shift = tf.Variable(tf.ones(4), name="shift")

    def __call__(self, x):
        return x @ self.w * self.scale + self.shift


class SumsOverASet(tf.Module):
    """In another order each time that it is made."""

    def __init__(self):
        super().__init__()
        self.parts = [tf.Variable(tf.ones((4, 4)) / (n + 3), name=f"w{n}") for n in range(9)]
        self.order = np.random.default_rng().permutation(9).tolist()

    def __call__(self, x):
        return tf.add_n([x @ self.parts[n] for n in self.order])


class ReadsAndForgets(tf.Module):
    """Reads its variables when it is made, and when it is first called, and keeps nothing."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.random.normal((4, 4)), name="w")
        print("norm", float(tf.norm(self.w)))

    def __call__(self, x):
        if tf.executing_eagerly():
            self.w.numpy()
        return x @ self.w


_LAYERS = []


class HalfPrecisionScalars(tf.Module):
    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(tf.ones([4, 4]))
        self.scale = tf.Variable(tf.constant(2.0, tf.bfloat16))
        self.shift = tf.constant(0.5, tf.bfloat16)

    def __call__(self, x):
        return x @ self.kernel * tf.cast(self.scale + self.shift, tf.float32)


class CountsLayers(tf.Module):
    """Depends on a list in the module, which is empty whenever the code runs afresh."""

    def __init__(self):
        super().__init__()
        _LAYERS.append(self)
        self.w = tf.Variable(tf.ones((4, 4)), name="w")
        self.scale = float(len(_LAYERS))
        keras.backend.clear_session()
        self.second = tf.Variable(tf.random.normal((4, 4)), name="second")
        self.dense = L.Dense(4, name="dense")

    def __call__(self, x):
        return self.dense(x @ self.w * self.scale) @ self.second


class KeepsWithoutEffect(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")
        self.copied = self.w.numpy()

    def __call__(self, x):
        return x @ self.w + tf.where(x[:, :1] > 1e6, x @ self.copied, 0.0)


class GrowsByInitialValue(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")
        if self.w[0, 0] > 1.0:
            self.more = tf.Variable(tf.ones((4, 4)), name="more")

    def __call__(self, x):
        return x @ self.w


class ReadsNothing(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")

    def __call__(self, x):
        return x * 2.0


def made_once():
    """Kept where running the code afresh does not reach: in a module of nobody's."""
    if not hasattr(itertools, "kept_for_a_test"):
        itertools.kept_for_a_test = TakesOne()
    return itertools.kept_for_a_test


def has_no_memory_the_second_time():
    if hasattr(itertools, "made_for_a_test"):
        raise MemoryError("of a test")
    itertools.made_for_a_test = TakesOne
    return TakesOne()


def fails_the_second_time():
    if hasattr(itertools, "ran_for_a_test"):
        raise RuntimeError("only once")
    itertools.ran_for_a_test = TakesOne
    return TakesOne()


class TakesOne(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")

    def __call__(self, x):
        return x @ self.w


class HalfUsed(tf.Module):
    """What a signature may leave out, beside constants that have nothing to do with weights."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.random.normal((4, 4)), name="w")
        self.other = tf.Variable(tf.random.normal((5, 4)), name="other")
        self.ones = tf.Variable(tf.ones((4,)), name="ones")
        self.scale = np.arange(4, dtype=np.float32)

    def __call__(self, x):
        return x @ self.w * self.scale + self.ones * tf.ones((4,))


def normalized():
    """Keras itself copies mean and variance, and copies them again after a restore."""
    layer = L.Normalization()
    layer.adapt(np.random.default_rng(0).normal(size=(9, 4)))
    return keras.Sequential([keras.Input((4,)), layer, L.Dense(2)])
