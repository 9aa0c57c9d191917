"""Runs actions and workflows on this machine through `runner/main.mjs`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RUNNER = HERE / "runner"
STAND_INS = {
    f"actions/{file.parent.relative_to(RUNNER / 'stand-ins').as_posix()}": str(file.parent)
    for file in RUNNER.glob("stand-ins/**/action.yml")
}


def node() -> str:
    """The path of node; skips the test where there is none."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed")
    assert (HERE / "node_modules").is_dir(), "run: npm ci --prefix tests/github --ignore-scripts"
    return found


def run(workspace: Path, **spec: Any) -> dict[str, Any]:
    """The result of one action (`action="./"`) or workflow (`workflow="file"`).

    `ok`, `outputs`, `annotations`, `summary`, `log`, `steps`; for a workflow `jobs` with these.
    """
    base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    whole = {
        "workspace": str(workspace),
        "uses": STAND_INS,
        **spec,
        "baseEnv": {**base, **spec.get("baseEnv", {})},
    }
    done = subprocess.run(
        [node(), "--import", (RUNNER / "json-hook.mjs").as_uri(), str(RUNNER / "main.mjs")],
        input=json.dumps(whole),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def outcomes(result: dict[str, Any]) -> dict[str, str]:
    """Step ids to how they ended."""
    return {step["id"]: step["outcome"] for step in result["steps"]}
