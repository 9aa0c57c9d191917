"""Equal inputs, equal bytes: whatever the order of the models, the number of workers, and the order
of sets in the children."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from command import ckpt_action

MODELS = '''
import sys

import keras
import tensorflow as tf
from keras import layers as L

assert sys.flags.hash_randomization, "the fixed seed of all children"

def _over(shape, *stack):
    return keras.Sequential([keras.Input(shape, name="x"), *stack])

def dense():
    return _over((6,), L.Dense(8, activation="relu"), L.BatchNormalization(), L.Dense(3))

def conv2d():
    return _over((8, 8, 2), L.Conv2D(4, 3), L.MaxPooling2D(), L.Flatten(), L.Dense(2))

def conv1d():
    return _over((None, 3), L.Conv1D(4, 3, padding="causal"), L.GlobalAveragePooling1D())

def lstm():
    return _over((None, 3), L.LSTM(5, return_sequences=True), L.LSTM(4))

def gru():
    return _over((7, 3), L.GRU(5, reset_after=True), L.Dense(2))

def bidirectional():
    return _over((None, 3), L.Bidirectional(L.LSTM(3)), L.Dense(2))

def masked():
    tokens = keras.Input((None,), dtype="int32", name="x")
    return keras.Model(tokens, L.GRU(4)(L.Embedding(20, 4, mask_zero=True)(tokens)))

def attention():
    x = keras.Input((None, 8), name="x")
    y = L.LayerNormalization()(x + L.MultiHeadAttention(2, 4)(x, x))
    return keras.Model(x, L.Dense(3, activation="gelu")(y))

class Checked(L.Layer):
    """Nodes of its loop that no result is computed from have an order by their names alone."""

    def build(self, shape):
        self.w = self.add_weight(shape=shape[-1:], name="w")

    def call(self, x):
        return tf.while_loop(lambda i, _: i < 3, self.step, (0, x))[1]

    def step(self, i, x):
        tf.debugging.assert_less(i, 10)
        tf.debugging.assert_all_finite(x, "no number")
        return i + 1, tf.tanh(x * self.w)

def checked():
    return _over((4,), Checked())
'''
TRAIN = """
import sys
import models, tensorflow as tf

for name in sys.argv[1:]:
    model = getattr(models, name)()
    tf.train.Checkpoint(model=model).write(f"checkpoints/{name}")
"""
NAMES = (
    "attention", "bidirectional", "checked", "conv1d", "conv2d", "dense", "gru", "lstm", "masked",
)  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("same-bytes")
    (folder / "models.py").write_text(MODELS)
    command = [sys.executable, "-W", "ignore", "-c", TRAIN, *NAMES]
    environ = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONHASHSEED": "3"}
    subprocess.run(command, cwd=folder, env=environ, check=True)
    return folder


def exported(folder, names, jobs, seed):
    """Every file of every artifact, and what the manifest says of each model."""
    lines = ["version = 1", "[defaults]", 'targets = ["saved-model", "frozen-graph"]']
    for name in names:
        lines += [f"[models.{name}]", f'entry-point = "models:{name}"']
        lines += [f'checkpoints = ["checkpoints/{name}"]', "verify.atol = 1e-5"]
    (folder / "model-export.toml").write_text("\n".join(lines))
    run = ckpt_action("export", "--jobs", jobs, "--no-reuse", folder=folder, hash_seed=seed)
    assert run.returncode == 0, run.stdout + run.stderr
    dist = folder / "dist"
    files = {f.relative_to(dist): f.read_bytes() for f in dist.glob("*/*/**/*") if f.is_file()}
    manifest = json.loads((dist / "manifest.json").read_text())
    return files, {job["name"]: job for job in manifest["jobs"]}


def test_neither_the_order_nor_the_number_of_workers_nor_a_seed_changes_a_byte(trained):
    first, said = exported(trained, NAMES, jobs="1", seed="1")
    again, said_again = exported(trained, NAMES[::-1], jobs="4", seed="2")
    assert {path.parts[0] for path in first} == set(NAMES)
    assert [path for path in first if first[path] != again.get(path)] == []
    assert first.keys() == again.keys()
    assert said == said_again
