"""Run with TF_USE_LEGACY_KERAS=1: largest difference from the golden output by file, as JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import tensorflow as tf
from architectures import build, cudnn_inputs, recurrent
from restoring import DATA, output, restored

NAMES = ("functional", "recurrent", "subclassed")
FILES = ("ck-1", "w", "w.weights.h5", "legacy.h5")


def main():
    found = {}
    for name in NAMES:
        golden = np.load(DATA / name / "golden.npz")["y"]
        for file in FILES:
            tf.keras.backend.clear_session()
            model = build(name, tf.keras)
            assert type(model).__module__.split(".")[0] != "keras"
            binding = restored(model, DATA / name / file).binding
            assert not binding.notes
            assert binding.bound == len(model.weights)
            found[f"{name}/{file}"] = float(np.abs(output(model, name) - golden).max())
    print(json.dumps(found | {"cudnn": cudnn()}))


def cudnn():
    golden = np.load(DATA / "cudnn" / "golden.npz")
    model = recurrent(tf.keras)
    assert len(restored(model, DATA / "cudnn" / "w.h5").binding.notes) == 4
    for number, variable in enumerate(model.weights):
        np.testing.assert_array_equal(variable, golden[f"v{number}"])
    return float(np.abs(model(cudnn_inputs()) - golden["y"]).max())


if __name__ == "__main__":
    main()
