"""Files of Keras 2 (TensorFlow 2.15), restored into Keras 3 and into tf_keras."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from architectures import BUILDERS, build
from restoring import DATA, fresh, output, restored

FILES = ("ck-1", "w", "w.weights.h5", "legacy.h5")
ROUTES = {"ck-1": "object graph", "w": "object graph", "w.weights.h5": "keras weights"}


@pytest.mark.parametrize("name", BUILDERS)
def test_into_keras_3(name):
    golden = np.load(DATA / name / "golden.npz")["y"]
    for file in FILES:
        model = build(name, fresh())
        found = restored(model, DATA / name / file)
        np.testing.assert_allclose(output(model, name), golden, rtol=1e-5, atol=1e-6)
        assert found.binding.route == ROUTES.get(file, "order of layers")
        assert found.binding.root == ("model" if file == "ck-1" else "")
        assert found.binding.bound == len(model.weights)
        assert not found.problems
        if file in ("ck-1", "w"):
            assert "Keras 2" in found.binding.notes[0]


def test_what_is_no_part_of_the_model_is_counted():
    model = build("functional", fresh())
    binding = restored(model, DATA / "functional" / "ck-1").binding
    assert binding.ignored == {"counter": 2, "optimizer": 14}
    assert binding.state == ("seed_generator/seed_generator_state",)


@pytest.mark.skipif(not importlib.util.find_spec("tf_keras"), reason="tf_keras is not installed")
def test_into_tf_keras():
    script = Path(__file__).with_name("restore_under_tf_keras.py")
    done = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "TF_USE_LEGACY_KERAS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    differences = json.loads(done.stdout)
    assert len(differences) == 3 * len(FILES) + 1
    assert {key: value for key, value in differences.items() if value > 1e-6} == {}
