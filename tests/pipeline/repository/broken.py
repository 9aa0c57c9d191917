"""Every way in which an entry point can go wrong."""

import ctypes
import os
import sys
import threading

import models
import tensorflow as tf


def raises():
    raise RuntimeError("no such layer")


def exits():
    sys.exit(3)


def exits_hard():
    os._exit(5)


def hangs():
    threading.Event().wait()


def crashes():
    print("about to fall", flush=True)
    ctypes.string_at(0)


def empty():
    print("nothing was recorded")
    return []


def refuses():
    print("looking for recordings")
    raise RuntimeError("no such recording")


class Noisy(models.Affine):
    def __call__(self, x):
        return {"z": super().__call__(x)["z"] + tf.random.uniform(tf.shape(x))}


class Loud(models.Affine):
    def __call__(self, x):
        print("a line on stdout")
        return super().__call__(x)


class Shifted(models.Affine):
    """Every weight fits, and the result is another."""

    def __init__(self):
        super().__init__()
        print("the layers of version 2", os.environ.get("PLAIN"))
        print("long " * 1000)

    def __call__(self, x):
        return {"z": x * self.shift + self.scale}


class Broken(models.Affine):
    def __call__(self, x):
        return {"z": tf.math.log(-tf.abs(super().__call__(x)["z"]) - 1.0)}


class Tabled(models.Affine):
    """A SavedModel can hold its table, a frozen graph cannot."""

    def __init__(self):
        super().__init__()
        keys = tf.constant([0, 1], tf.int64)
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, tf.constant([2.0, 3.0])), 0.0
        )

    def __call__(self, x):
        index = tf.cast(tf.zeros_like(x), tf.int64)
        return {"z": super().__call__(x)["z"] * self.table.lookup(index)}
