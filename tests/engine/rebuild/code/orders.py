"""Models of three towers that are made in the order of a set, or of the files in a folder."""

from __future__ import annotations

import os
from glob import glob
from pathlib import Path

import tensorflow as tf
from tensorflow import keras

L = keras.layers
FOLDER = Path(os.environ.get("TOWERS", ""))
NAMES = {"user", "item", "context"}
KNOWN = frozenset(NAMES)


class Towers(keras.Model):
    """Nothing but their order tells the layers apart."""

    def __init__(self, names):
        super().__init__()
        self.names = list(names)
        self.towers = [L.Dense(4, activation="tanh") for _ in self.names]

    def call(self, user, item, context):
        given = {"user": user, "item": item, "context": context}
        known = [n for n in sorted(KNOWN) if n in NAMES]
        at = dict(zip(self.names, self.towers, strict=True))
        return tf.concat([at[name](given[name]) for name in known], -1)


def of_a_name_for_a_set():
    return Towers(NAMES)


def of_a_set():
    return Towers(name for name in {"user", "item", "context"})  # noqa: PLC0208


def of_keys():
    return Towers(sorted({"user": 1, "item": 2, "context": 3}.keys() - set(), key=bool))


def of_listdir():
    return Towers(os.listdir(FOLDER))  # noqa: PTH208


def of_scandir():
    with os.scandir(FOLDER) as entries:
        return Towers(entry.name for entry in entries)


def of_iterdir():
    return Towers(path.name for path in FOLDER.iterdir())


def of_glob():
    return Towers(Path(name).name for name in glob(f"{FOLDER}/*"))  # noqa: PTH207


def of_gfile():
    return Towers(tf.io.gfile.listdir(str(FOLDER)))


def sorted_set():
    return Towers(sorted(NAMES))


def sorted_folder():
    return Towers(sorted(os.listdir(FOLDER)))  # noqa: PTH208


def written_down():
    """Each set for its members alone, or for numbers."""
    order = [name for name in ("user", "item", "context") if name in NAMES]
    assert max(len(NAMES), *{1, 2}) == len(set(order))
    return Towers(order)


class InTheCall(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = {name: tf.Variable(tf.ones((5, 4)), name=name) for name in sorted(NAMES)}

    def __call__(self, user, item, context):
        given = {"user": user, "item": item, "context": context}
        if tf.reduce_sum(user) > 1e9:
            user = user * 2
        return tf.concat([given[name] @ self.w[name] for name in NAMES], -1)


class ToldByKeys(tf.Module):
    """Where each variable hangs says which one it is."""

    def __init__(self):
        super().__init__()
        self.w = {name: tf.Variable(tf.ones((5, 4)), name=name) for name in NAMES}

    def __call__(self, user, item, context):
        given = {"user": user, "item": item, "context": context}
        return tf.concat([given[name] @ self.w[name] for name in sorted(given)], -1)


class SumsUp(ToldByKeys):
    """In any order, but for rounding."""

    def __call__(self, user, item, context):
        given = {"user": user, "item": item, "context": context}
        return tf.add_n([given[name] @ self.w[name] for name in NAMES])


class Named(keras.Model):
    """Keras writes the names of layers into the file."""

    def __init__(self):
        super().__init__()
        self.towers = {name: L.Dense(4, activation="tanh", name=name) for name in NAMES}

    def call(self, user, item, context):
        given = {"user": user, "item": item, "context": context}
        return tf.concat([self.towers[name](given[name]) for name in sorted(given)], -1)


class Unnamed(Named):
    def __init__(self):
        keras.Model.__init__(self)
        self.towers = {name: L.Dense(4, activation="tanh") for name in NAMES}


class KnowsItsOrder(ToldByKeys):
    """And is made in no other one."""

    def __init__(self):
        super().__init__()
        assert str(list(NAMES))[1:-1] == str(NAMES)[1:-1]
