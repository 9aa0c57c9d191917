"""Models that compute something else than their checkpoint says, and one that does not."""

import builtins
import os
import threading
from pathlib import Path

import numpy as np
import tensorflow as tf

HERE = Path(__file__).parent
TEXT = "the quick brown fox jumps over a lazy dog"


class Right(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.random.normal((4, 4)), name="w")

    def __call__(self, x):
        return x @ self.w


class Scaled(Right):
    """By a number that was computed once, from the initial weights, and kept somewhere."""

    def __init__(self):
        super().__init__()
        self.scale = self.kept(float(tf.norm(self.w)))

    def __call__(self, x):
        return x @ self.w / self.scale


class KeptInAFile(Scaled):
    def kept(self, scale):
        file = HERE / "scale.txt"
        if not file.exists():
            file.write_text(str(scale))
        return float(file.read_text())


class KeptByTensorFlow(Scaled):
    def kept(self, scale):
        file = str(HERE / "scale.tensor")
        if not tf.io.gfile.exists(file):
            tf.io.write_file(file, tf.io.serialize_tensor(scale))
        return float(tf.io.parse_tensor(tf.io.read_file(file), tf.float32))


class KeptInTheEnvironment(Scaled):
    def kept(self, scale):
        return float(os.environ.setdefault("SCALE_OF_A_TEST", str(scale)))


class KeptInAModule(Scaled):
    def kept(self, scale):
        return vars(builtins).setdefault("scale_of_a_test", scale)


class MadeInAThread(Right):
    def __init__(self):
        thread = threading.Thread(target=super().__init__)
        thread.start()
        thread.join()
        self.scale = float(tf.norm(self.w))

    def __call__(self, x):
        return x @ self.w / self.scale


class CountsRows(Right):
    """As far as Python knows how many there are."""

    def __call__(self, x):
        rows = x.shape[0] or 1
        return x @ self.w / rows


class EagerOnly(Right):
    def __call__(self, x):
        return x @ (self.w if tf.executing_eagerly() else tf.transpose(self.w))


class AsksForOneStep(Right):
    """As a model of streams does: a sequence is centred over time, a single step is taken as is."""

    def __call__(self, x):
        y = x @ self.w
        return y if y.shape[1] == 1 else y - tf.reduce_mean(y, 1, keepdims=True)


class AsksForOneRow(Right):
    """And computes that twice."""

    def __call__(self, x):
        y = x @ self.w
        return (y + x[:, ::-1] @ self.w) / 2 if x.shape[0] == 1 else y


class AsksForPortraits(Right):
    """Which it turns; the size of a landscape is not known either where it is traced."""

    def __call__(self, x):
        y = x @ self.w
        tall = None not in x.shape and x.shape[1] > x.shape[2]
        return tf.reduce_sum(-y if tall else y, (1, 2))


class DrawsForNothing(Right):
    """Noise of the training, times 0; how many steps there are is not known where it is traced."""

    def __call__(self, x):
        noise = 0.0 * tf.random.normal(tf.shape(x))
        return tf.reduce_sum((x + noise) @ self.w, 1) / (x.shape[1] or 1)


class RaisesEagerly(Right):
    def __call__(self, x):
        if tf.executing_eagerly() and tf.reduce_any(x != 0):
            raise NotImplementedError("only in graphs")
        return x @ self.w


class Branches(Right):
    def __init__(self):
        super().__init__()
        self.large = tf.Variable(tf.random.normal((4, 4)), name="large")

    @tf.function
    def __call__(self, x):
        return x @ self.large if tf.reduce_max(x) > 1e6 else x @ self.w


class Diverged(Right):
    """Its checkpoint holds NaN in some weights."""


class PixelsAndScores(Right):
    """In one output, of which eight bits hold the pixels alone."""

    def __call__(self, x):
        y = x @ self.w
        return tf.concat([640.0 * y[:, :3], tf.sigmoid(y[:, 3:])], axis=1)


class NumbersWordsByASet(Right):
    """Whose order is another one in each process."""

    def __init__(self):
        super().__init__()
        words = list(set(TEXT.split()))
        pairs = tf.lookup.KeyValueTensorInitializer(words, tf.range(len(words)))
        self.table = tf.lookup.StaticHashTable(pairs, 0)
        self.words = tf.Variable(tf.random.normal((9, 4)), name="words")

    def __call__(self, x):
        return x @ self.w + tf.gather(self.words, self.table.lookup(tf.constant(["fox"])))


class MergesWhenFirstCalled(Right):
    """As adapters are merged into the weights that they adapt."""

    def __init__(self):
        super().__init__()
        self.adapter = tf.Variable(tf.random.normal((4, 4)), name="adapter")
        self.merged = False

    def __call__(self, x):
        if not self.merged:
            self.w.assign_add(self.adapter)
            self.merged = True
        return x @ self.w + 0.0 * tf.reduce_sum(self.adapter)


class NormalizesByTheBatch(Right):
    """Whatever the mode, and keeps what training saw of it where nothing reads it any more."""

    def __init__(self):
        super().__init__()
        self.mean = tf.Variable(tf.zeros(4), trainable=False, name="mean")

    def __call__(self, x):
        y = x @ self.w
        return y - tf.reduce_mean(y, 0)


class Normalization(tf.Module):
    """Of one axis, in training mode."""

    def __init__(self, axis, scaled):
        super().__init__()
        self.axis = axis
        self.scale = tf.Variable(tf.ones(4), name="scale") if scaled else 1.0
        self.mean = tf.Variable(tf.zeros(4), trainable=False, name="mean")
        self.variance = tf.Variable(tf.ones(4), trainable=False, name="variance")

    def __call__(self, x):
        mean, variance = tf.nn.moments(x, [self.axis], keepdims=True)
        return (x - mean) * tf.math.rsqrt(variance + 1e-3) * self.scale


class NormalizesAFixedBatch(Right):
    def __init__(self):
        super().__init__()
        self.norm = Normalization(0, scaled=False)

    def __call__(self, x):
        return self.norm(x @ self.w)


class NormalizesEachRow(Right):
    def __init__(self):
        super().__init__()
        self.norm = Normalization(1, scaled=True)

    def __call__(self, x):
        return self.norm(x @ self.w)


class KeepsAnAverage(Right):
    """Of its weights, as a codebook does, and of a count, which only training reads."""

    def __init__(self):
        super().__init__()
        self.average = tf.Variable(tf.zeros((4, 4)), trainable=False, name="average")
        self.count = tf.Variable(tf.zeros(4), trainable=False, name="count")


class FindsNothing(Right):
    def __call__(self, x):
        y = x @ self.w
        return tf.boolean_mask(y, y[:, 0] > 1e9)


def samples():
    for row in np.random.default_rng(0).normal(size=(50, 1, 4)):
        yield {"x": row.astype("float32")}
