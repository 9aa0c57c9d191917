"""Graph models in a real browser: one Chromium for many calls."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
NARROW = {"int64": "int32", "uint8": "int32", "int8": "int32"}


def missing() -> str:
    """Why no browser test can run here; empty where they can."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (HERE / "node_modules" / "playwright-core").is_dir():
        return "tests/browser has no node_modules: npm ci --prefix tests/browser"
    if browser() is None:
        return "chromium is not installed"
    return ""


def browser() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@dataclass(frozen=True, kw_only=True)
class Call:
    folder: Path
    backend: str
    inputs: Mapping[str, np.ndarray]
    outputs: Sequence[str]
    """Names of the signature."""


def run(calls: Sequence[Call], scratch: Path) -> list[dict[str, np.ndarray] | str]:
    """Outputs by name, or what the browser said, of each call."""
    request = {
        "browser": browser(),
        "cases": [
            {
                "folder": str(call.folder),
                "backend": call.backend,
                "inputs": {name: _encoded(value) for name, value in call.inputs.items()},
                "outputs": call.outputs,
            }
            for call in calls
        ],
        "results": str(scratch / "results.json"),
    }
    (scratch / "request.json").write_text(json.dumps(request))
    done = subprocess.run(
        ["node", HERE / "run.mjs", scratch / "request.json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    answers = json.loads((scratch / "results.json").read_text())
    return [_decoded(answer, call) for answer, call in zip(answers, calls, strict=True)]


def _encoded(value: np.ndarray) -> dict[str, Any]:
    if value.dtype.hasobject:
        texts = [text.decode() for text in value.reshape(-1).tolist()]
        return {"dtype": "string", "shape": value.shape, "texts": texts}
    dtype = NARROW.get(value.dtype.name, value.dtype.name)
    data = base64.b64encode(np.ascontiguousarray(value.astype(dtype)).tobytes()).decode()
    return {"dtype": dtype, "shape": value.shape, "data": data}


def _decoded(answer: Mapping[str, Any], call: Call) -> dict[str, np.ndarray] | str:
    if "error" in answer:
        return str(answer["error"])
    return {
        name: np.frombuffer(base64.b64decode(o["data"]), o["dtype"]).reshape(o["shape"])
        for name, o in zip(call.outputs, answer["outputs"], strict=True)
    }
