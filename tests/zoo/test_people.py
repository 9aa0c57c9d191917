"""Whole repositories as strangers leave them: one `ckpt-action export` from a declaration alone.

Every one has a golden file of the world that wrote it, and its outputs are compared with it on the
rebuilt model and on every artifact. `people/` trains them, `make zoo` makes `data/people.zip` anew.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
QUICK = {
    "bert_names",
    "char_rnn",
    "cifar_averages",
    "detection_api",
    "efficientnet",
    "face_recognition",
    "garden_3",
    "t5_names",
    "text_generation_3",
    "text_one_step",
    "wave_net_3",
    "yolov3",
}
_TABLES = """
import json, make, sys
from repository import REPOSITORIES
print(json.dumps({name: r.toml.replace("{here}", name) for name, r in REPOSITORIES.items()}))
"""
_TOP = """version = 1
[export]
python-path = ["."]
[defaults]
targets = ["saved-model"]
"""


@pytest.fixture(scope="module")
def tables() -> dict[str, str]:
    """What each repository's owner would declare."""
    command = [sys.executable, "-W", "ignore", "-c", _TABLES]
    environment = {**os.environ, "PYTHONPATH": str(HERE / "people"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    run = subprocess.run(command, env=environment, capture_output=True, check=True)
    return json.loads(run.stdout)


def exported(folder: Path, tables: dict[str, str], names: set[str]) -> int:
    """How many models one export of the repositories `names` placed, all of them proven."""
    with zipfile.ZipFile(HERE / "data" / "people.zip") as packed:
        packed.extractall(folder)
    for file in (HERE / "people").glob("*.py"):
        shutil.copy(file, folder)
    text = _TOP + "".join(tables[name] for name in sorted(names))
    (folder / "model-export.toml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-B", "-m", "ckpt_action", "export", "--jobs", "2"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return sum(placed.is_dir() for placed in (folder / "dist").iterdir())


def test_repositories_of_every_kind_export_from_a_declaration_alone(tables, tmp_path):
    assert exported(tmp_path, tables, QUICK) == len(QUICK)


@pytest.mark.slow
def test_all_other_repositories_export_too(tables, tmp_path):
    names = tables.keys() - QUICK
    declared = sum(tables[name].count("checkpoints =") for name in names)
    assert exported(tmp_path, tables, names) == declared


def test_every_repository_is_packed(tables):
    with zipfile.ZipFile(HERE / "data" / "people.zip") as packed:
        assert {name.split("/")[0] for name in packed.namelist()} == tables.keys()
