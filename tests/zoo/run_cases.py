"""Runs the product's own rebuild, restore and trace over cases, in one environment.

    python run_cases.py --results <file> --architectures <folder> <case.json> ...

One JSON line for each case: `right`, `refused` (with the code and message), `wrong` or `crashed`.
`TF_USE_LEGACY_KERAS` decides which environment this is.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np
import tensorflow as tf

from ckpt_action.checkpoint.discover import discover
from ckpt_action.config.records import (
    DEFAULT_SIGNATURE,
    EntryPoint,
    InputSpec,
    Model,
    OutputSpec,
    Restore,
    Signature,
)
from ckpt_action.engine.layers.same_layers import same_layers
from ckpt_action.engine.prove.model.live import LiveSignature
from ckpt_action.engine.rebuild.rebuild import environment_keras, rebuild
from ckpt_action.engine.restore import restore
from ckpt_action.engine.trace.trace import trace
from ckpt_action.engine.trace.twin import make_twin
from ckpt_action.errors import CkptActionError
from ckpt_action.plan import Job

Run = Callable[[Path, Path], dict[str, Any]]

RTOL, ATOL = 1e-4, 1e-5
HALF = 2e-2
"""Both tolerances where something is computed in float16 or bfloat16."""


def main(run: Run) -> None:
    """`run` makes the result of one case, in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--python-path", type=Path, required=True)
    parser.add_argument("cases", type=Path, help="a file with the paths of case.json files")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(options.python_path))
    for module in ("architectures", "h5py", environment_keras().__name__):
        importlib.import_module(module)  # once for all children
    with options.results.open("w", encoding="utf-8") as results:
        for line in options.cases.read_text(encoding="utf-8").splitlines():
            result = run_apart(run, Path(line), options.python_path)
            results.write(json.dumps({"case": line, **result}) + "\n")
            results.flush()


def run_apart(run: Run, file: Path, python_path: Path) -> dict[str, Any]:
    """Runs one case in a forked child, as the product does: no case sees what another left."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with os.fdopen(writer, "w", encoding="utf-8") as answer:
            json.dump(run(file, python_path), answer)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as answer:
        text = answer.read()
    _, status = os.waitpid(child, 0)
    if not text:
        return {"outcome": "crashed", "stage": "", "message": f"the process died ({status})"}
    return json.loads(text)


def run(file: Path, python_path: Path) -> dict[str, Any]:
    case = json.loads(file.read_text(encoding="utf-8"))
    stage = "checkpoint"
    try:
        job = job_of(case, file.parent, python_path)
        stage = "rebuild"
        rebuilt = rebuild(job)
        stage = "restore"
        restored = restore(rebuilt, job.checkpoint, job.model.restore)
        _, other = same_layers(restored, job)
        stage = "trace"
        traced = trace(restored, job.name, make_twin(restored, job.checkpoint))
        stage = "run"
        live = LiveSignature(traced.signatures[0])
        worst = [compare(live, file.parent / golden) for golden in case["goldens"]]
    except CkptActionError as error:
        first = error.problems[0]
        return {
            "outcome": "refused",
            "stage": stage,
            "code": first.code.name,
            "message": str(first),
            "details": list(first.details),
        }
    except tf.errors.OpError as error:
        message = error.message.strip().splitlines()[0]
        return {"outcome": "refused", "stage": stage, "code": "OP", "message": message}
    except Exception:
        return {"outcome": "crashed", "stage": stage, "message": traceback.format_exc()}
    problems = (*rebuilt.problems, *restored.problems, *traced.problems)
    return {
        "outcome": "right" if all(excess <= 0 for excess, _ in worst) else "wrong",
        "route": restored.binding.route,
        "keras": restored.binding.keras,
        "root": restored.binding.root,
        "warnings": [str(problem) for problem in problems],
        "other_layers": [problem.message for problem in other],
        "difference": max(difference for _, difference in worst),
    }


def job_of(case: dict[str, Any], folder: Path, python_path: Path) -> Job:
    model = Model(
        name="zoo",
        entry_point=_entry_point(case["entry_point"]),
        checkpoints=(case["checkpoint"],),
        restore=Restore(root=case["root"], weights=case["weights"]),
        signatures=(_signature(case),),
        targets=(),
    )
    checkpoints, problems = discover(model.checkpoints, folder, "latest", look_inside=True)
    if problems and not checkpoints:
        raise CkptActionError(*problems)
    return Job(
        name="zoo",
        model=model,
        checkpoint=checkpoints[0],
        python_path=(python_path,),
        folder=python_path,
    )


def _entry_point(text: str | None) -> EntryPoint | None:
    if text is None:
        return None
    module, _, attribute = text.partition(":")
    return EntryPoint(module=module, attribute=attribute)


def _signature(case: dict[str, Any]) -> Signature:
    return Signature(
        name=DEFAULT_SIGNATURE,
        method=case["method"],
        inputs=tuple(
            InputSpec(
                name=name,
                dtype=spec["dtype"],
                shape=tuple(spec["shape"]),
                tensor=spec.get("tensor") if case["entry_point"] is None else None,
            )
            for name, spec in case["inputs"].items()
        ),
        outputs=tuple(
            OutputSpec(name=name, tensor=tensor if case["entry_point"] is None else None)
            for name, tensor in case.get("outputs", {}).items()
        ),
        constants=case.get("constants", {}) if case["entry_point"] is None else {},
    )


def compare(live: LiveSignature, golden: Path) -> tuple[float, float]:
    """How far beyond the tolerance the worst value is (0 or less is right), and max abs."""
    with np.load(golden) as data:
        arrays = dict(data)
    inputs = {
        name[3:]: value.astype(object) if value.dtype.kind == "S" else value
        for name, value in arrays.items()
        if name.startswith("in_")
    }
    found = list(live.run(inputs).values())
    wanted = [arrays[f"out_{k}"] for k in range(len(found))]
    if f"out_{len(found)}" in arrays:
        return np.inf, np.inf
    excess, difference = 0.0, 0.0
    for got, want in zip(found, wanted, strict=True):
        if got.shape != want.shape or not np.isfinite(got.astype("float64")).all():
            return np.inf, np.inf
        apart = np.abs(got.astype("float64") - want.astype("float64"))
        allowed = ATOL + RTOL * np.abs(want.astype("float64"))
        if computes_in_half(live):
            allowed = HALF + HALF * np.abs(want.astype("float64"))
        excess = max(excess, float(np.max(apart - allowed, initial=0.0)))
        difference = max(difference, float(np.max(apart, initial=0.0)))
    return excess, difference


def computes_in_half(live: LiveSignature) -> bool:
    with contextlib.suppress(AttributeError):
        graph = live._function.graph
        return any(
            tensor.dtype in (tf.float16, tf.bfloat16)
            for operation in graph.get_operations()
            for tensor in operation.outputs
        )
    return False


if __name__ == "__main__":
    main(run)
