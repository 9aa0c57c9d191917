"""Checkpoints of every kind, made by the TensorFlow versions that people used, restore right."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from holes import HOLES
from matrix import page
from pack import unpack
from page_claims import beyond, claims, sections
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
    "growing_layer",
    "growing_tables",
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


PAGE = HERE.parent.parent / "docs" / "restore-matrix.md"


@pytest.fixture(scope="session")
def zoo(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("zoo")
    unpack(folder)
    return folder


@pytest.fixture(scope="session")
def cases(zoo) -> list[Path]:
    return sorted(zoo.rglob("case.json"))


def quick(file: Path) -> bool:
    """`dense` and the TF1 graphs in every way of saving, some architectures in the main ways."""
    case = read_case(file)
    if case["architecture"] in ("dense", "tf1"):
        return case["world"] in ("tf215-keras2", "tf221-keras3")
    wanted = (case["world"], case["saver"]) in QUICK_SAVERS
    return wanted and case["architecture"] in QUICK_ARCHITECTURES


def checked(files: list[Path], environment: Environment) -> list[dict[str, Any]]:
    results = run(files, environment)
    assert len(results) == sum(concerns(read_case(file), environment) for file in files)
    complaints = [text for result in results if (text := complaint(result))]
    assert not complaints, "\n\n".join([f"{len(complaints)} of {len(results)} cases:", *complaints])
    return results


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_slice_restores_right_or_is_refused_as_the_page_says(zoo, cases, environment):
    results = checked([file for file in cases if quick(file)], environment)
    assert not beyond(claims(page(zoo, results)), claims(PAGE.read_text("utf-8")))


@pytest.mark.slow
def test_all_packed_cases_restore_right_or_are_refused_as_the_page_says(zoo, cases):
    results = [result for each in ENVIRONMENTS for result in checked(cases, each)]
    assert page(zoo, results) == PAGE.read_text("utf-8"), "make it again: see its introduction"


def test_the_page_is_of_all_packed_cases(zoo, cases):
    each = [(file, env) for env in ENVIRONMENTS for file in cases if concerns(read_case(file), env)]
    all_right = [{"case": str(file), "environment": env, "outcome": "right"} for file, env in each]
    ours, theirs = page(zoo, all_right), PAGE.read_text("utf-8")
    for title in ("By way of saving", "By way of building"):
        counts = [
            {claim: sum(cell) for claim, cell in claims(text).items() if claim[0] == title}
            for text in (ours, theirs)
        ]
        assert counts[0] == counts[1]
    assert sections(ours)["Not written"] == sections(theirs)["Not written"]
    assert f"\n{len(cases)} small checkpoints" in theirs


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("| `averaged` | 1/1 · 1/1 | 2/2 · 2/2", "| `averaged` | 1/1 · 1/1 | 2/2 · 1/2"),
        ("| `dense` | 34/39 · 36/39", "| `dense` | 35/39 · 36/39"),
        ("keras-2 | keras weights | 81 | 0", "keras-2 | keras weights | 80 | 1"),
        ("- **hard_sigmoid means", "- **it means"),
    ],
)
def test_another_count_in_the_page_is_seen(said, instead):
    text = PAGE.read_text("utf-8")
    assert said in text
    assert beyond(claims(text), claims(text.replace(said, instead)))


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
