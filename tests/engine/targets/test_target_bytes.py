"""Equal models give equal bytes, in whichever process they are exported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import keras_cases
import pytest
from networks import NETWORKS

from ckpt_action.engine.targets import registry

_PROGRAM = Path(__file__).with_name("export_each.py")
MODULES = ["gather_in_branch_in_nested_loops", "several_signatures", "every_dtype_and_shape"]


def digests_from_a_new_process(hash_seed: str, names: list[str], folder: Path) -> dict[str, str]:
    run = subprocess.run(
        [sys.executable, _PROGRAM, folder, *names],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    found: dict[str, str] = json.loads(run.stdout)
    return found


def test_two_processes_write_the_same_bytes(tmp_path):
    assert_same_bytes(["dense", "masked_recurrent", "several_signatures"], tmp_path)


@pytest.mark.slow
def test_two_processes_write_the_same_bytes_of_everything(tmp_path):
    """Twenty architectures with recurrent ones among them, and graphs full of functions."""
    assert len(keras_cases.CASES | NETWORKS) >= 20
    assert_same_bytes([*keras_cases.CASES, *NETWORKS, *MODULES], tmp_path)


def assert_same_bytes(names: list[str], tmp_path: Path) -> None:
    one = digests_from_a_new_process("1", names, tmp_path / "one")
    other = digests_from_a_new_process("2", names, tmp_path / "other")
    assert len(one) >= len(names) * (len(registry()) + 4)
    assert {k: v for k, v in one.items() if other[k] != v} == {}
