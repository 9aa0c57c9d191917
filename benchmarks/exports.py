"""One model at a time, and twenty small ones: ours against scripts that people write."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from benchmarks.processes import Cost, in_turns, run, total
from benchmarks.project import MODELS, SMALL, checkpoint, declare, make_project
from benchmarks.results import Comparison, Way

GOALS: dict[str, tuple[float, float | None]] = {"vgg16": (1 / 4, 1 / 4)}
"""Model to the shares of the script's time and memory; for others time alone, and no more of it."""


def one_model(project: Path, model: str, rounds: int) -> Comparison:
    """SavedModel and `.pb`, ours verified, the others not; `Model.export` writes no `.pb`."""
    make_project(project, [model])
    wall, peak = GOALS.get(model, (1.0, None))
    mine, stock, keras = in_turns(
        rounds,
        lambda: ours(project, model),
        lambda: script(project, "stock", model),
        lambda: script(project, "model_export", model),
    )
    return Comparison(
        title=f"{model}: SavedModel and .pb",
        ours=Way(name="ckpt-action, verified", cost=mine),
        other=Way(name="script", cost=stock),
        more=(Way(name="Model.export, SavedModel only", cost=keras),),
        wall_goal=wall,
        peak_goal=peak,
    )


def transformer(project: Path, rounds: int) -> Comparison:
    """2 GB of weights, for which there is no `.pb`."""
    make_project(project, ["transformer"])
    mine, stock, keras = in_turns(
        rounds,
        lambda: ours(project, "transformer", "saved-model"),
        lambda: script(project, "stock", "transformer", "--saved-model-only"),
        lambda: script(project, "model_export", "transformer"),
    )
    return Comparison(
        title="transformer, 2 GB: SavedModel",
        ours=Way(name="ckpt-action, verified", cost=mine),
        other=Way(name="script", cost=stock),
        more=(Way(name="Model.export", cost=keras),),
    )


def many_models(project: Path, rounds: int) -> Comparison:
    """One run of ours, one process after another of theirs; ours with one worker."""
    make_project(project, list(SMALL))
    file = declare(project, "small", list(SMALL))
    one, scripts, two = in_turns(
        rounds,
        lambda: _export(project, file, "--jobs", "1"),
        lambda: total(script(project, "stock", model) for model in SMALL),
        lambda: _export(project, file, "--jobs", "2"),
    )
    return Comparison(
        title=f"{len(SMALL)} small models: SavedModel and .pb",
        ours=Way(name="ckpt-action --jobs 1, verified", cost=one),
        other=Way(name="a script per model", cost=scripts),
        more=(Way(name="ckpt-action --jobs 2, verified", cost=two),),
        wall_goal=1 / 6,
    )


def ours(project: Path, model: str, *targets: str) -> Cost:
    file = declare(project, model, [model], targets or ("saved-model", "frozen-graph"))
    return _export(project, file)


def _export(project: Path, file: Path, *options: str) -> Cost:
    shutil.rmtree(project / "dist", ignore_errors=True)
    command = str(Path(sys.executable).with_name("ckpt-action"))
    return run([command, "export", file.name, *options], project)


def script(project: Path, name: str, model: str, *options: str) -> Cost:
    out = project / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    builder, arguments = MODELS[model]
    paths = (str(checkpoint(project, model)), str(out))
    command = [sys.executable, f"{name}.py", builder, json.dumps(arguments), *paths, *options]
    return run(command, project)
