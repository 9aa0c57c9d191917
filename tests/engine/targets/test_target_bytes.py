"""Equal models give equal bytes, in whichever process they are exported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import keras_cases
import pytest
from networks import NETWORKS

from ckpt_action.engine.targets import registry

Export = tuple[str, dict[str, object]]
Exports = dict[str, list[Export]]

_PROGRAM = Path(__file__).with_name("export_each.py")
MODULES = [
    "gather_in_branch_in_nested_loops", "several_signatures", "every_dtype_and_shape",
    "control_flow_of_tf1",
]  # fmt: skip


KERAS_2 = ["keras_2_convolutions", "keras_2_attention", "keras_2_lstm"]
OPTIONS: list[Export] = [
    ("frozen-graph", {"optimize": True}),
    ("frozen-graph", {"lower-control-flow": True}),
    ("frozen-graph", {"optimize": True, "lower-control-flow": True}),
    ("tfjs", {"quantize": {"weights": "uint8"}}),
    ("tfjs", {"quantize": {"weights": "uint16"}}),
    ("tfjs", {"quantize": {"weights": "float16", "only": ["*kernel*"]}}),
    ("tflite", {"quantize": "float16"}),
    ("tflite", {"quantize": "dynamic-range"}),
    ("tflite", {"quantize": "int8", "representative-data": "samples_of_cases:give"}),
]


COUNTED = {("control_flow_of_tf1", "saved-model")}
"""A SavedModel keeps TensorFlow's names of functions, which count what it made before: of a part
that is cut out of a graph with loops, not as much in every process."""


def plain(names: Iterable[str]) -> Exports:
    return {
        name: [(target, {}) for target in registry() if (name, target) not in COUNTED]
        for name in names
    }


def digests_from_a_new_process(hash_seed: str, exports: Exports, folder: Path) -> dict[str, str]:
    run = subprocess.run(
        [sys.executable, _PROGRAM, folder, json.dumps(exports)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    found: dict[str, str] = json.loads(run.stdout)
    return found


def test_two_processes_write_the_same_bytes(tmp_path):
    names = plain(["dense", "masked_recurrent", "several_signatures"])
    one = assert_same_bytes({**names, "cnn": OPTIONS}, tmp_path)
    assert not [file for file in one if file.startswith("cnn/") and file.endswith("refused")]


@pytest.mark.slow
def test_two_processes_write_the_same_bytes_of_everything(tmp_path):
    """Twenty architectures with recurrent ones among them, and graphs full of functions."""
    assert len(keras_cases.CASES | NETWORKS) >= 20
    assert_same_bytes(plain([*keras_cases.CASES, *NETWORKS, *MODULES]), tmp_path)


@pytest.mark.slow
def test_two_processes_write_the_same_bytes_of_keras_2_and_with_every_option(tmp_path):
    pytest.importorskip("tf_keras")
    optional = ["masked_lstm_one_row", "bilstm_gru_one_row", "attention_exact_gelu", *MODULES]
    assert_same_bytes(plain(KERAS_2) | dict.fromkeys(optional, OPTIONS), tmp_path)


def assert_same_bytes(exports: Exports, tmp_path: Path) -> dict[str, str]:
    """The digests, once they are those of a second process."""
    one = digests_from_a_new_process("1", exports, tmp_path / "one")
    other = digests_from_a_new_process("2", exports, tmp_path / "other")
    written = {Path(file).parts[:2] for file in one}
    assert len(written) == sum(map(len, exports.values()))
    assert {k: v for k, v in one.items() if other[k] != v} == {}
    return one
