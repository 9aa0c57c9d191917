"""Drop-in example files: everything in `valid` loads, everything in `invalid` says what its
`.errors.txt` says, to the letter."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ckpt_action.config.load import load_config
from ckpt_action.errors import ExitCode, Severity
from ckpt_action.report.problems import problem_text

HERE = Path(__file__).resolve().parent
FILE = Path("model-export.toml")


def examples(kind):
    files = sorted((HERE / kind).glob("*.toml"))
    assert files
    return pytest.mark.parametrize("example", files, ids=lambda file: file.stem)


@examples("valid")
def test_valid(example, project):
    shutil.copy(example, project / FILE)
    loaded = load_config(FILE)
    assert loaded.problems == ()
    assert loaded.config is not None


@examples("invalid")
def test_invalid(example, project):
    shutil.copy(example, project / FILE)
    loaded = load_config(FILE)
    assert loaded.config is None
    assert {p.code for p in loaded.problems if p.severity is Severity.ERROR} == {ExitCode.CONFIG}
    text = "".join(f"{problem_text(problem)}\n" for problem in loaded.problems)
    assert text == example.with_suffix(".errors.txt").read_text(encoding="utf-8")
