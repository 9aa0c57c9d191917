"""Builders that do everything with initial values that builders do."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from tensorflow import keras

L = keras.layers
Initial = keras.initializers.HeNormal
WIDE = (300, 300)


def dense(**options):
    options.setdefault("kernel_initializer", Initial(seed=3))
    return L.Dense(300, name="dense", **options)


def plain(**options):
    return keras.Sequential([keras.Input((300,)), dense(**options), L.Dense(2, name="head")])


def large():
    """64 MB in one kernel."""
    return keras.Sequential([keras.Input((4096,)), L.Dense(4096, use_bias=False, name="dense")])


def of(dtype):
    return plain(dtype=dtype)


def kinds():
    """One large variable by each initialiser, and several kinds of layers."""
    names = ("GlorotUniform", "HeUniform", "LecunNormal", "Orthogonal", "RandomNormal")
    names += ("RandomUniform", "TruncatedNormal", "VarianceScaling")
    x = inputs = keras.Input((5,))
    x = L.LSTM(200)(L.Embedding(900, 64)(x))
    for name in names:
        x = L.Dense(200, kernel_initializer=getattr(keras.initializers, name)(seed=1))(x)
    return keras.Model(inputs, x)


def unseeded():
    keras.utils.set_random_seed(7)
    model = plain(kernel_initializer="he_normal")
    model.drawn_after = (tf.random.normal([3]).numpy(), np.random.rand(3))
    model.second = plain(kernel_initializer="he_normal")
    return model


def norm_of_variable():
    model = plain()
    model.constant = float(tf.norm(tf.convert_to_tensor(model.get_layer("dense").kernel)))
    return model


def norm_in_cpp():
    model = plain()
    raw = model.get_layer("dense").kernel
    raw = raw.value if isinstance(getattr(raw, "value", None), tf.Variable) else raw
    model.constant = float(tf.norm(tf.matmul(tf.eye(300), raw)))
    return model


def norm_of_numpy():
    model = plain()
    model.constant = float(np.linalg.norm(model.get_layer("dense").get_weights()[0]))
    return model


def norm_in_function():
    model = plain()
    kernel = model.get_layer("dense").kernel
    model.constant = float(tf.function(lambda: tf.norm(tf.convert_to_tensor(kernel)))())
    return model


def norm_in_concrete_function():
    model = plain()
    kernel = model.get_layer("dense").kernel
    function = tf.function(lambda: tf.norm(tf.convert_to_tensor(kernel)))
    model.constant = float(function.get_concrete_function()())
    return model


def norm_in_predict():
    model = plain()
    model.constant = float(np.linalg.norm(model.predict(np.ones((1, 300)), verbose=0)))
    return model


def norm_in_call():
    model = plain()
    model.constant = float(np.linalg.norm(model(np.ones((1, 300), np.float32))))
    return model


def norm_while_building():
    class Normed(L.Layer):
        def build(self, shape):
            self.kernel = self.add_weight(shape=WIDE, initializer=Initial(seed=3), name="kernel")
            with tf.init_scope():
                self.constant = float(tf.norm(tf.convert_to_tensor(self.kernel)))

        def call(self, x):
            return x @ self.kernel

    layer = Normed()
    model = keras.Sequential([keras.Input((300,)), layer])
    model.constant = layer.constant
    return model


def norm_of_own_call():
    model = plain()
    model.constant = float(tf.norm(tf.convert_to_tensor(Initial(seed=3)(WIDE))))
    return model


def own_initialiser():
    return plain(kernel_initializer=lambda shape, dtype=None: 2.0 * Initial(seed=3)(shape, dtype))


class Doubled(Initial):
    def __call__(self, shape, dtype=None, **options):
        return 2.0 * super().__call__(shape, dtype, **options)


def derived_initialiser():
    return plain(kernel_initializer=Doubled(seed=3))


def assigned():
    model = plain()
    model.get_layer("dense").set_weights([np.full(WIDE, 5.0), np.zeros(300)])
    return model


def cleared():
    keras.backend.clear_session()
    return plain()


class Called(keras.Model):
    """Its layers have no variables before the first call, which keeps what it computes."""

    def __init__(self):
        super().__init__()
        self.inner = dense()
        self.constant = None

    def call(self, x):
        y = self.inner(x)
        if self.constant is None and tf.executing_eagerly():
            self.constant = float(tf.norm(tf.convert_to_tensor(self.inner.kernel)))
        return y


class Module(tf.Module):
    def __init__(self):
        super().__init__()
        self.inner = plain()

    @tf.function
    def __call__(self, x):
        return self.inner(x)


def hidden_reading():
    """Reads memory behind the back of everything that could be asked."""
    model = plain()
    model.constant = float(
        tf.norm(tf.raw_ops.ReadVariableOp(resource=handle(model), dtype="float"))
    )
    return model


def fails_on_zeros():
    model = hidden_reading()
    if not model.constant:
        raise ValueError("all weights are zero")
    return model


_MADE = []


def fails_anyhow():
    _MADE.append(plain())
    raise ValueError(f"{len(_MADE)} models were made")


def hidden_sharing():
    """Keeps the memory without reading it."""
    model = plain()
    model.kept = tf.raw_ops.ReadVariableOp(resource=handle(model), dtype="float")
    return model


def handle(model):
    kernel = model.get_layer("dense").kernel
    value = getattr(kernel, "_value", kernel)
    return vars(value)["_handle"]


def tied():
    a, b, layer = keras.Input((300,)), keras.Input((300,)), dense()
    return keras.Model([a, b], L.Add()([layer(a), layer(b)]))


def configures():
    tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(2)
    return plain()
