"""Which environments a case concerns, and runs of many cases in one process for each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from holes import hole_for

HERE = Path(__file__).resolve().parent

Environment = Literal["keras-3", "keras-2"]
KERAS_INSIDE = {"keras_in_module", "by_name_keras"}
"""Modules and TF1 cases that hold Keras layers nevertheless."""
ENVIRONMENTS: tuple[Environment, ...] = ("keras-3", "keras-2")


def read_case(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))


def concerns(case: dict[str, Any], environment: Environment) -> bool:
    """Whether the product may take this case there.

    Files of Keras 2 go to either environment, all others to the one with Keras 3.
    """
    if environment == "keras-3":
        return True
    if not case["keras"].startswith("2.") or "standalone" in case["architecture"]:
        return False
    plain = case["architecture"] == "tf1" or "modules:" in (case["entry_point"] or "")
    return not plain or bool(KERAS_INSIDE & {case["architecture"], case["saver"]})


def run(
    files: Iterable[Path], environment: Environment, program: str = "run_cases.py"
) -> list[dict[str, Any]]:
    """The results of all cases that concern the environment; see `program`."""
    wanted = [file for file in files if concerns(read_case(file), environment)]
    with tempfile.TemporaryDirectory() as folder:
        listing, results = Path(folder) / "cases", Path(folder) / "results"
        listing.write_text("".join(f"{file}\n" for file in wanted), encoding="utf-8")
        command = [sys.executable, HERE / program, "--python-path", HERE]
        command += ["--results", results, listing]
        subprocess.run(
            [str(part) for part in command],
            env={**os.environ, "TF_USE_LEGACY_KERAS": "1" if environment == "keras-2" else "0"},
            stderr=subprocess.DEVNULL,
            check=True,
        )
        found = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    return [{**result, "environment": environment} for result in found]


def complaint(result: dict[str, Any]) -> str:
    """What is wrong with a result; empty where it is what `holes.py` says."""
    case = read_case(Path(result["case"]))
    name = f"{result['environment']} {case['world']}/{case['architecture']}/{case['saver']}"
    hole = hole_for(case, result["environment"])
    if result["outcome"] == "right":
        if result.get("other_layers"):
            return f"{name}: restored right, and called another model: {result['other_layers']}"
        stale = hole is not None and not hole.partly
        return f"{name}: restored right, but holes.py says: {hole.reason}" if stale else ""
    if result["outcome"] == "refused" and hole is not None:
        if result["code"] in hole.code.split("|"):
            return ""
        return f"{name}: refused with {result['code']} instead of {hole.code}: {result['message']}"
    if result["outcome"] == "wrong":
        return f"{name}: WRONG NUMBERS, off by {result['difference']}"
    stage, message = result["stage"], result["message"]
    return f"{name}: {result['outcome']} at {stage}: {result.get('code', '')} {message}"
