"""Models that compute something else than their checkpoint says never come out proven."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import ENVIRON, ckpt_action

from ckpt_action.errors import ExitCode


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """Model to what one export of all of them says of it."""
    folder = Path(
        shutil.copytree(
            Path(__file__).parent / "wrong", tmp_path_factory.mktemp("wrong") / "repository"
        )
    )
    environ = ENVIRON | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    subprocess.run([sys.executable, "train.py"], cwd=folder, env=environ, check=True)
    for file in folder.glob("scale.*"):
        file.unlink()
    run = ckpt_action("export", folder=folder)
    assert run.returncode == ExitCode.VERIFY, run.stdout + run.stderr
    parts = re.split(r"^(\w+): (?=proven|not proven|failed)", run.stdout, flags=re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in zip(*[iter(parts[1:])] * 2, strict=True)}


@pytest.mark.parametrize("model", ["Right", "KeepsAnAverage", "KeepsAnAverageOfAFixedBatch"])
def test_the_right_ones_are_proven(said, model):
    assert said[model].startswith("proven")


@pytest.mark.parametrize(
    ("model", "status", "cause", "advice"),
    [
        ("KeptInAFile", "not proven", "reads scale.txt, which it made in this run", "Commit"),
        ("KeptByTensorFlow", "not proven", "reads scale.tensor, which it made", "Commit"),
        ("KeptInTheEnvironment", "failed", "attribute `scale`", "Compute it in the method"),
        ("KeptInAModule", "failed", "attribute `scale`", "Compute it in the method"),
        ("MadeInAThread", "not proven", "another thread", "where the entry point makes"),
        ("CountsRows", "failed", "something else as a graph", "loops over `len(x)`"),
        ("EagerOnly", "failed", "something else as a graph", "tf.executing_eagerly()"),
        ("AsksForOneStep", "failed", "cut to time=1", "loops over `len(x)`"),
        ("AsksForOneRow", "failed", "(batch=1)", "conditions on values"),
        ("AsksForPortraits", "failed", "something else as a graph", "x.shape"),
        ("DrawsForNothing", "failed", "something else as a graph", "x.shape"),
        ("Diverged", "failed", "holds NaN in w", "Choose an earlier step"),
        ("NumbersWordsByASet", "not proven", "order of a set (models.py:", "sorted(set(…))"),
        ("MergesWhenFirstCalled", "not proven", "first call writes w", "at every call"),
        ("NormalizesAFixedBatch", "not proven", "computes without norm/mean, norm/var", "golden"),
        ("NormalizesEachRow", "not proven", "its rows are apart, as those of an", "golden"),
        ("NormalizesByTheBatch", "not proven", "computes without mean, which lie", "inference"),
        ("FindsNothing", "not proven", "it is empty on every probe", "not shown"),
        ("PixelsAndScores", "not proven", "column 3 of output", "an output of its own"),
    ],
)
def test_no_wrong_one_is_proven(said, model, status, cause, advice):
    assert said[model].startswith(status)
    assert cause in said[model]
    assert advice in said[model]


def test_a_model_that_python_cannot_call_is_proven_and_named(said):
    assert said["RaisesEagerly"].startswith("proven")
    told = "not compared with Python: called on sample 0 (batch=2), the model raises NotImpl"
    assert told in said["RaisesEagerly"]


def test_a_branch_that_no_probe_enters_is_named(said):
    assert said["Branches"].startswith("proven")
    assert "no probe enters 1 of 2 (true of cond)" in said["Branches"]
    assert "golden file" in said["Branches"]
