"""Vocabularies in checkpoints of TensorFlow up to 2.8, exported under both Kerases."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest
from command import ckpt_action

from ckpt_action.manifest import read_manifest

MODELS = """
import tensorflow as tf

L = tf.keras.layers

def ids():
    i = tf.keras.Input((3,), dtype="int64", name="x")
    return tf.keras.Model(i, L.Dense(2)(L.Flatten()(L.Embedding(4, 3)(i))))

def words(vocabulary=None, layer=L.StringLookup):
    i = tf.keras.Input((3,), dtype="string", name="x")
    number = layer(vocabulary=vocabulary, name="lookup")(i)
    return tf.keras.Model(i, L.Dense(2)(L.Flatten()(L.Embedding(4, 3)(number))))
"""
TRAIN = """
import numpy as np
import tensorflow as tf
from models import words

class Growing(tf.keras.layers.Layer):
    def __init__(self, vocabulary, name):
        super().__init__(name=name)
        self.lookup_table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, 0)

    def call(self, x):
        return tf.ensure_shape(self.lookup_table.lookup(x), (None, 3))

tf.keras.utils.set_random_seed(1)
model = words(layer=Growing)
model.layers[1].lookup_table.insert(["a", "b", "c"], tf.constant([1, 2, 3], tf.int64))
for variable in model.weights:
    variable.assign(np.random.default_rng(1).normal(size=variable.shape))
model.save_weights("w")
x = np.array([[b"a", b"b", b"c"], [b"c", b"zz", b"a"]])
np.savez("words.npz", in_x=x, out_0=model(tf.constant(x)))
np.savez("ids.npz", in_x=np.array([[1, 2, 3], [3, 0, 1]]), out_0=model(tf.constant(x)))
"""
CONFIG = """
version = 1
[defaults]
checkpoints = ["w"]
targets = ["saved-model"]
[models.ids]
entry-point = "models:ids"
verify.golden = "ids.npz"
[models.words-2]
entry-point = "models:words"
keras = "2"
verify.golden = "words.npz"
[models.words-3]
entry-point = "models:words"
keras = "3"
verify.golden = "words.npz"
"""


@pytest.mark.skipif(not importlib.util.find_spec("tf_keras"), reason="tf_keras is not installed")
def test_words_of_the_file(tmp_path):
    (tmp_path / "models.py").write_text(MODELS)
    (tmp_path / "model-export.toml").write_text(CONFIG)
    environ = os.environ | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-c", TRAIN], cwd=tmp_path, env=environ, check=True)
    run = ckpt_action("export", folder=tmp_path)
    jobs = {job.name: job for job in read_manifest(tmp_path / "dist").jobs}
    assert sorted(jobs) == ["ids", "words-2", "words-3"], run.stdout + run.stderr
    assert jobs["ids"].binding.ignored == {"table": 1}
    for name in ("words-2", "words-3"):
        assert "lookup has its 3 words from the checkpoint" in jobs[name].binding.notes[0]
        assert f"\n{name}: proven" in run.stdout
    assert "making the model a second time failed" not in run.stdout
