"""Checkpoints of every kind, made by the TensorFlow versions that people used, restore right."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from holes import HOLES
from pack import unpack
from running import ENVIRONMENTS, Environment, complaint, concerns, read_case, run

QUICK_SAVERS = {
    ("tf215-keras2", "save_weights"),
    ("tf221-keras3", "checkpoint_model"),
    ("tf221-keras3", "weights_h5"),
}
QUICK_ARCHITECTURES = {
    "attention",
    "bidirectional",
    "block_model",
    "char_rnn",
    "cnn",
    "custom_names",
    "equal_branches",
    "integer_and_bool",
    "layer_list",
    "mixed_float16",
    "nested",
    "normalization",
    "pinn",
    "raw_variables",
    "stacked_cells",
    "two_inputs_two_outputs",
    "weight_lists",
}


@pytest.fixture(scope="session")
def cases(tmp_path_factory) -> list[Path]:
    return unpack(tmp_path_factory.mktemp("zoo"))


def quick(file: Path) -> bool:
    """`dense` and the TF1 graphs in every way of saving, some architectures in the main ways."""
    case = read_case(file)
    if case["architecture"] in ("dense", "tf1"):
        return case["world"] in ("tf215-keras2", "tf221-keras3")
    wanted = (case["world"], case["saver"]) in QUICK_SAVERS
    return wanted and case["architecture"] in QUICK_ARCHITECTURES


def check(files: list[Path], environment: Environment) -> None:
    results = run(files, environment)
    assert len(results) == sum(concerns(read_case(file), environment) for file in files)
    complaints = [text for result in results if (text := complaint(result))]
    assert not complaints, "\n\n".join([f"{len(complaints)} of {len(results)} cases:", *complaints])


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_slice_restores_right_or_is_refused(cases, environment):
    check([file for file in cases if quick(file)], environment)


@pytest.mark.slow
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_all_packed_cases_restore_right_or_are_refused(cases, environment):
    check([file for file in cases if not quick(file)], environment)


def test_every_hole_covers_a_case(cases):
    packed = [read_case(file) for file in cases]
    idle = [
        hole.reason
        for hole in HOLES
        if not any(
            hole.covers(case, environment) and concerns(case, environment)
            for case in packed
            for environment in ENVIRONMENTS
        )
    ]
    assert not idle


def test_wrong_numbers_are_seen(cases, tmp_path):
    """The run itself would notice: one output of the golden file is moved by a percent."""
    original = next(f for f in cases if f.match("tf221-keras3/dense/checkpoint_model/case.json"))
    shutil.copytree(original.parent.parent, tmp_path / "dense")
    golden = tmp_path / "dense" / "golden.npz"
    with np.load(golden) as data:
        arrays = dict(data)
    arrays["out_0"][0, 0] *= 1.01
    np.savez(golden, **arrays)
    (result,) = run([tmp_path / "dense" / "checkpoint_model" / "case.json"], "keras-3")
    assert result["outcome"] == "wrong", result
    assert "WRONG NUMBERS" in complaint(result)
