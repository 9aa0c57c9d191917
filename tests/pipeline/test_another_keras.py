"""Files that do not tell which Keras wrote them: where one fails, the other one is tried."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from command import ckpt_action

from ckpt_action.errors import ExitCode
from ckpt_action.processes.environments import keras_is_2

pytestmark = pytest.mark.skipif(keras_is_2(), reason="this TensorFlow has one Keras only, Keras 2")
MODELS = """
import tensorflow as tf

class Scale(tf.keras.layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight("scale", shape=(shape[-1],))  # Keras 3 takes no name here

    def call(self, x):
        return x * self.scale

class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = Scale(), Scale()

    def call(self, x):
        return self.second(tf.nn.relu(self.first(x)))
"""
TRAIN = """
import numpy as np
from models import Net

net, x = Net(), np.linspace(-1, 1, 6, dtype="float32").reshape(2, 3)
net(x)
for number, variable in enumerate(net.variables):
    variable.assign([1.0 + number, -2.0, 3.0])
net.save_weights("graph")
net.save_weights("net.weights.h5")
np.savez("golden.npz", in_x=x, out_y=net(x))
"""
CONFIG = """
version = 1
[defaults]
entry-point = "models:Net"
targets = ["saved-model"]
signatures.serving_default = { inputs.x = { dtype = "float32", shape = SHAPE }, outputs = ["y"] }
verify.golden = "golden.npz"
[models.graph]
checkpoints = ["graph"]
[models.hdf5]
checkpoints = ["net.weights.h5"]
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("another-keras")
    (folder / "models.py").write_text(MODELS)
    environ = os.environ | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-W", "ignore", "-c", TRAIN]
    subprocess.run(command, cwd=folder, env=environ, check=True)
    return folder


def exported(folder, shape):
    (folder / "model-export.toml").write_text(CONFIG.replace("SHAPE", shape))
    return ckpt_action("export", "--format", "json", folder=folder)


def test_code_for_keras_2_exports_though_no_file_says_so(trained):
    run = exported(trained, '["batch", 3]')
    assert run.returncode == 0, run.stdout + run.stderr
    jobs = json.loads(run.stdout)["jobs"]
    assert [job["checkpoint"]["writer"] for job in jobs] == ["tensorflow", "unknown"]
    for job in jobs:
        (note,) = (p["message"] for p in job["problems"] if "tried first" in p["message"])
        assert note.startswith("Keras 3 was tried first and failed: ")
        assert job["binding"]["keras"].startswith("2.")


def test_each_failure_says_under_which_keras(trained):
    run = exported(trained, '["batch", 4]')
    assert run.returncode == ExitCode.RESTORE, run.stdout + run.stderr
    messages = [p["message"] for p in json.loads(run.stdout)["jobs"][0]["problems"]]
    assert any(m.startswith("Under Keras 3: ") and "add_weight" in m for m in messages)
    assert any(m.startswith("Under Keras 2: ") for m in messages)
