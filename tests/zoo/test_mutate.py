"""Damaged files through the whole restore: refused with a cause, or the right values.

`make mutate` runs the whole; the suite runs a slice.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from holes import hole_for
from pack import unpack
from running import read_case

QUICK = {
    ("tf215-keras2", "dense", "with_optimizer"),
    ("tf215-keras2", "dense", "h5_weights"),
    ("tf221-keras3", "dense", "keras_archive"),
    ("tf221-keras3", "dense", "weights_json"),
    ("tf215-keras2", "tf1", "partitioned"),
}
QUICK_GRAPHS = {("tf215-keras2", "tf1", "control_flow")}


def mutated(files: list[Path], each: int, program: str = "mutate.py") -> list[dict]:
    command = [sys.executable, "-W", "ignore", HERE / program, "--python-path", HERE]
    command += ["--each", each, *files]
    run = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, "TF_USE_LEGACY_KERAS": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]


def check(results: list[dict], *, least: int) -> Counter[str]:
    complaints = [f"{r['case']} {text}" for r in results for text in r["complaints"]]
    assert not complaints, "\n".join(complaints[:20])
    total: Counter[str] = Counter()
    for result in results:
        total.update(result["counts"])
    assert total["refused"] > total.total() * 0.5
    assert total.total() >= least
    print(dict(total))
    return total


def name(file: Path) -> tuple[str, str, str]:
    case = read_case(file)
    return case["world"], case["architecture"], case["saver"]


def test_damaged_files_are_refused_or_restored_right(tmp_path):
    files = [file for file in unpack(tmp_path) if name(file) in QUICK]
    assert len(files) == len(QUICK)
    check(mutated(files, 6), least=60)


def test_damaged_graphs_are_refused_or_run_right(tmp_path):
    files = [file for file in unpack(tmp_path) if name(file) in QUICK_GRAPHS]
    assert len(files) == len(QUICK_GRAPHS)
    check(mutated(files, 6, "mutate_graphs.py"), least=16)


@pytest.mark.slow
def test_damaged_graphs_are_refused_or_run_right_whole(tmp_path):
    """Every `.meta` of the oldest world that has it; other numbers are the golden file's to see."""
    files = {file.parent.name: file for file in reversed(unpack(tmp_path)) if has_graph(file)}
    total = check(mutated(sorted(files.values()), 40, "mutate_graphs.py"), least=500)
    assert total["golden"] < total["right"]


def has_graph(file: Path) -> bool:
    case = read_case(file)
    return case["architecture"] == "tf1" and case["entry_point"] is None


@pytest.mark.slow
def test_damaged_files_are_refused_or_restored_right_whole(tmp_path):
    """Every way of saving, of the oldest world that has it."""
    wanted = ("dense", "bare_variables", "nested_modules", "tf1")
    one_of_each: dict[str, Path] = {}
    for file in unpack(tmp_path):
        case = read_case(file)
        built = case["entry_point"] or case["architecture"] == "tf1"
        restored = built and hole_for(case, "keras-3") is None
        if case["architecture"] in wanted and restored:
            one_of_each.setdefault(case["saver"], file)
    check(mutated(list(one_of_each.values()), 16), least=2000)
