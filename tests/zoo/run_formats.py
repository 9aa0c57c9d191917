"""Restores cases as the product does, and runs what it writes of them in each format.

    python run_formats.py --results <file> --python-path <folder> <file with paths of case.json>

One JSON line for each case: format to `right`, `refused: ...`, `wrong: ...` or `crashed: ...`, by
the outputs that the writing world computed. `TF_USE_LEGACY_KERAS` decides which Keras rebuilds.
"""

from __future__ import annotations

import json
import tempfile
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import run_cases

from ckpt_action.engine.prove.model.live import LiveSignature
from ckpt_action.engine.prove.outputs.spread import inexact, spread
from ckpt_action.engine.rebuild.rebuild import rebuild
from ckpt_action.engine.records import TracedModel
from ckpt_action.engine.restore import restore
from ckpt_action.engine.targets import registry
from ckpt_action.engine.trace.trace import trace
from ckpt_action.engine.trace.twin import make_twin
from ckpt_action.errors import CkptActionError

FORMATS = tuple(registry())
ROUNDING = 1e-4
"""Of how far an output's values lie apart; the product allows as much."""


def run(file: Path, python_path: Path) -> dict[str, Any]:
    case = json.loads(file.read_text(encoding="utf-8"))
    try:
        job = run_cases.job_of(case, file.parent, python_path)
        restored = restore(rebuild(job), job.checkpoint, job.model.restore)
        model = trace(restored, job.name, make_twin(restored, job.checkpoint))
    except CkptActionError as error:
        return dict.fromkeys(FORMATS, f"not restored: {error.problems[0].code.name}")
    goldens = [file.parent / golden for golden in case["goldens"]]
    return {target: _outcome(target, model, goldens) for target in FORMATS}


def _outcome(target: str, model: TracedModel, goldens: list[Path]) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            registry()[target].export(model, folder, {})
            artifact = registry()[target].open_artifact(folder, ())
            live = LiveSignature(model.signatures[0])
            wrong = [text for golden in goldens for text in _differences(artifact, live, golden)]
        except CkptActionError as error:
            problem = error.problems[0]
            return f"refused: {problem.code.name}: {problem.message}"
        except Exception:
            return f"crashed: {traceback.format_exc()}"
    return f"wrong: {'; '.join(wrong)}" if wrong else "right"


def _differences(artifact: Any, live: LiveSignature, golden: Path) -> list[str]:
    with np.load(golden) as data:
        arrays = dict(data)
    inputs = {
        name[3:]: value.astype(object) if value.dtype.kind == "S" else value
        for name, value in arrays.items()
        if name.startswith("in_")
    }
    found = artifact.run(live.record.name, inputs)
    names = [output.name for output in live.record.outputs]
    part = run_cases.HALF if run_cases.computes_in_half(live) else ROUNDING
    texts = [_apart(n, found[n], arrays[f"out_{place}"], part) for place, n in enumerate(names)]
    return [text for text in texts if text]


def _apart(name: str, got: np.ndarray, want: np.ndarray, part: float) -> str:
    if got.shape != want.shape:
        return f"{name} has shape {got.shape}, not {want.shape}"
    if not inexact(want):
        return "" if np.array_equal(got, want) else f"{name} is another"
    apart = np.abs(got.astype("float64") - want.astype("float64"))
    allowed = run_cases.ATOL + run_cases.RTOL * np.abs(want) + part * spread([want])
    return "" if (apart <= allowed).all() else f"{name} is off by {apart.max():.2g}"


if __name__ == "__main__":
    run_cases.main(run)
