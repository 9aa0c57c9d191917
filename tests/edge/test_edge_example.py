"""`examples/edge`: exported and run as its README says, the digits are those that were recorded."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    """What the README's commands print, without the first, which exports."""
    copy = tmp_path_factory.mktemp("examples")
    for name in ("digits", "edge"):
        shutil.copytree(EXAMPLES / name, copy / name, ignore=shutil.ignore_patterns("dist"))
    subprocess.run(["git", "init", "-q", copy], check=True)
    text = (copy / "edge" / "README.md").read_text(encoding="utf-8")
    lines = re.search(r"```sh\n(.*?)```", text, re.DOTALL)[1].splitlines()
    printed = {}
    for line in lines:
        program, *rest = shlex.split(line)
        start = ["-m", "ckpt_action"] if program == "ckpt-action" else []
        run = subprocess.run(
            [sys.executable, *start, *rest],
            cwd=copy / "edge",
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, f"{line}\n{run.stdout}{run.stderr}"
        printed[line] = run.stdout
    return printed


def test_the_programs_see_the_recorded_digits(commands):
    recorded = np.load(EXAMPLES / "digits" / "golden" / "digits.npz")["out_digit"].argmax(1)
    shown = [text for line, text in commands.items() if line.startswith("python ")]
    assert shown == [" ".join(map(str, recorded)) + "\n"] * 2
    assert len(set(recorded)) > 5


def test_the_export_says_what_was_proven(commands):
    report = commands["ckpt-action export"]
    assert report.startswith("1 model exported and proven (3 artifacts,")


@pytest.mark.parametrize("name", ["with_litert.py", "with_onnxruntime.py"])
def test_a_program_has_ten_lines(name):
    lines = (EXAMPLES / "edge" / name).read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line]) <= 10
    assert "tensorflow" not in "".join(lines)
