"""Opening artifacts in one fresh process, many at a time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from handmade import Arrays

from ckpt_action.engine import arrays

_PROGRAM = Path(__file__).with_name("open_elsewhere.py")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the other process said about one artifact."""

    error: str
    payloads: Mapping[str, str]
    outputs: Mapping[str, Arrays]
    again: Mapping[str, Arrays]
    """The same call a second time."""


def open_elsewhere(
    tasks: Iterable[tuple[str, Path, Mapping[str, Arrays]]], scratch: Path
) -> list[Seen]:
    """(format, folder, inputs by signature) of each artifact, all in one new process."""
    request = []
    for number, (target, folder, inputs) in enumerate(tasks):
        files = {}
        for signature, feeds in inputs.items():
            files[signature] = str(scratch / f"{number}.{signature}.in.npz")
            arrays.save(Path(files[signature]), {k: np.asarray(v) for k, v in feeds.items()})
        results = str(scratch / str(number))
        request.append(
            {"format": target, "folder": str(folder), "inputs": files, "results": results}
        )
    (scratch / "request.json").write_text(json.dumps(request))
    run = subprocess.run(
        [sys.executable, _PROGRAM, scratch / "request.json"],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **_tensorflow_js()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return [_seen(task["results"], task["inputs"]) for task in request]


def _tensorflow_js() -> dict[str, str]:
    """TensorFlow.js runs its artifacts where it is at hand."""
    packages = Path(__file__).resolve().parents[2] / "browser"
    there = shutil.which("node") and (packages / "node_modules").is_dir()
    return {"CKPT_ACTION_TFJS": str(packages)} if there else {}


def _seen(results: str, signatures: Iterable[str]) -> Seen:
    answer = json.loads(Path(f"{results}.json").read_text())
    done = "error" not in answer

    def outputs(call: str) -> dict[str, Arrays]:
        return {s: arrays.load(Path(f"{results}.{s}.{call}.npz")) for s in signatures if done}

    return Seen(
        error=answer.get("error", ""),
        payloads=answer.get("payloads", {}),
        outputs=outputs("first"),
        again=outputs("second"),
    )
