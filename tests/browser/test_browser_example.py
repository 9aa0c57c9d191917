"""examples/web: exported as its README says, and drawn upon with a mouse in Chromium."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import chromium
import pytest

pytestmark = [
    pytest.mark.skipif(bool(chromium.missing()), reason=chromium.missing() or "-"),
    pytest.mark.xdist_group("browser"),
]

ROOT = chromium.HERE.parent.parent
Stroke = list[tuple[float, float]]


def arc(x: float, y: float, radius: float, start: float, end: float) -> Stroke:
    """Around (x, y), from `start` to `end` degrees; clockwise from the right."""
    steps = [start + (end - start) * i / 16 for i in range(17)]
    return [
        (x + radius * math.cos(math.radians(a)), y + radius * math.sin(math.radians(a)))
        for a in steps
    ]


DIGITS: dict[str, list[Stroke]] = {
    "0": [[(x * 0.7 + 0.15, y) for x, y in arc(0.5, 0.5, 0.36, -90, 270)]],
    "1": [[(0.38, 0.28), (0.55, 0.12), (0.55, 0.88)]],
    "3": [arc(0.48, 0.32, 0.2, -150, 90) + arc(0.48, 0.7, 0.2, -90, 150)],
    "4": [[(0.62, 0.12), (0.28, 0.6), (0.78, 0.6)], [(0.6, 0.4), (0.6, 0.9)]],
    "7": [[(0.25, 0.14), (0.75, 0.14), (0.45, 0.88)]],
}


@pytest.fixture(scope="module")
def example(tmp_path_factory) -> tuple[Path, str]:
    """The example's folder after the export, and what the export reported."""
    examples = tmp_path_factory.mktemp("repository") / "examples"
    leave = shutil.ignore_patterns("dist", "node_modules", "__pycache__")
    for name in ("digits", "web"):
        shutil.copytree(ROOT / "examples" / name, examples / name, ignore=leave)
    subprocess.run(["git", "init", "--quiet"], cwd=examples.parent, check=True)
    (examples / "web" / "node_modules").symlink_to(chromium.HERE / "node_modules")
    run = subprocess.run(
        [sys.executable, "-m", "ckpt_action", "export", "--format", "json"],
        cwd=examples / "web", capture_output=True, text=True, check=False,
        env={**os.environ, "CKPT_ACTION_TFJS": "."},
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return examples / "web", run.stdout


def test_the_export_was_proven_by_tensorflow_js(example):
    (job,) = json.loads(example[1])["jobs"]
    (artifact,) = job["artifacts"]
    proofs = {proof["name"]: proof for proof in artifact["proofs"]}
    assert {"payload", "signature", "values", "golden"} <= proofs.keys()
    assert all(proof["passed"] for proof in proofs.values())
    assert "TensorFlow.js 4.22.0 ran the files in Node" in proofs["values"]["detail"]
    assert "4 variables, byte for byte" in proofs["payload"]["detail"]
    assert "5 are stored in another form" in proofs["payload"]["detail"]


def test_drawn_digits_are_recognised(example, tmp_path):
    request = {
        "browser": chromium.browser(),
        "page": str(example[0]),
        "modules": str(chromium.HERE),
        "digits": DIGITS,
        "results": str(tmp_path / "results.json"),
        "screenshot": os.environ.get("SCREENSHOT"),
    }
    (tmp_path / "request.json").write_text(json.dumps(request))
    run = subprocess.run(
        ["node", chromium.HERE / "draw.mjs", tmp_path / "request.json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["complaints"] == []
    assert results["said"].pop("cleared") == "Ready."
    assert {name: said.split(" (")[0] for name, said in results["said"].items()} == {
        name: f"This is a {name}" for name in DIGITS
    }
