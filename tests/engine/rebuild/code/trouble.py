"""Entry points that go wrong, each in its own way."""

from __future__ import annotations

import sys

import tensorflow as tf

print("printed while importing")


def raises(size=3):
    return _inner(size)


def _inner(size):
    raise ValueError(f"no data of size {size}")


def exits():
    sys.exit(3)


def returns_none():
    tf.Variable(1.0)


def returns_class():
    return tf.Module


def returns_pair():
    return tf.Module(), "optimizer"


def returns_dict():
    return {"model": tf.Module()}


def returns_tensor():
    return tf.ones(3)


def returns_number():
    return 12


def returns_symbolic():
    return tf.keras.layers.Dense(2)(tf.keras.Input((3,)))


def returns_checkpoint():
    return tf.train.Checkpoint()


def returns_generator():
    yield tf.Module()


def returns_empty():
    class Empty(tf.Module):
        def __call__(self, x):
            return x

    return Empty()


async def returns_coroutine():
    return tf.Module()


def imports_missing():
    import skimage_of_nobody  # noqa: F401


def imports_old_api():
    import tensorflow.contrib  # noqa: F401


def imports_misplaced():
    import inside  # noqa: F401


model = tf.Module()


class Holder:
    @staticmethod
    def build():
        print("printed while building")
        return _WithWeights()


class _WithWeights(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((2, 2)))

    def __call__(self, x):
        return x @ self.w


def is_interrupted():
    raise KeyboardInterrupt


def raises_what_is_no_exception():
    raise BaseException("odd")
