"""SECURITY.md says which commands run the repository's code; here code tells on them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ckpt_action import commands

ROOT = Path(__file__).resolve().parent.parent
DECLARED = """\
version = 1

[models.digits]
entry-point = "tells:build"
checkpoints = ["runs/digits/ckpt-*"]
targets     = ["saved-model"]
"""
CODE = """\
from pathlib import Path

import keras

(Path(__file__).parent / "was-run").touch()
raise RuntimeError("nobody may import this unasked")


def build():
    return keras.Sequential([])
"""
CALLS = {
    "validate": ["validate"],
    "init": ["init"],
    "plan": ["plan"],
    "inspect": ["inspect", "runs/digits/ckpt-40"],
    "inspect --against": ["inspect", "runs/digits/ckpt-40", "--against", "tells:build"],
    "export": ["export"],
}
OF_EXPORTED_FOLDERS = {"merge", "release", "verify"}
"""These are given a folder; the repository whose code they could run need not be there."""


def documented() -> dict[str, bool]:
    """Command to whether it runs the repository's code."""
    table = (ROOT / "SECURITY.md").read_text().split("## What runs whose code")[1]
    rows = re.findall(r"^\| (.+?) \| (.+?) \|", table.split("\n\n")[1], re.MULTILINE)[1:]
    return {
        command: answer.startswith("**yes**")
        for cell, answer in rows
        for command in re.findall(r"`([^`]+)`", cell)
    }


def test_every_verb_is_in_the_table():
    assert {*CALLS, *OF_EXPORTED_FOLDERS} == set(documented())
    assert {command.split()[0] for command in documented()} == set(commands.names())


@pytest.mark.parametrize("command", CALLS)
def test_the_table_says_what_runs_the_repositorys_code(command, tmp_path):
    source = ROOT / "examples/digits/runs"
    shutil.copytree(source, tmp_path / "runs")
    if command != "init":
        (tmp_path / "model-export.toml").write_text(DECLARED)
    (tmp_path / "tells.py").write_text(CODE)
    call = [sys.executable, "-m", "ckpt_action", *CALLS[command]]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (tmp_path / "was-run").exists() is documented()[command], done.stdout + done.stderr
