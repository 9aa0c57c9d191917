"""What needs no TensorFlow: `inspect` and `validate` against the usual ways."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.processes import in_turns, run
from benchmarks.project import checkpoint, make_project
from benchmarks.results import Comparison, Way
from benchmarks.validate import project_of, validate_commands

_LIST = "import sys, tensorflow as tf; print(tf.train.list_variables(sys.argv[1]))"


def inspect(project: Path, rounds: int) -> Comparison:
    make_project(project, ["mobilenet-v2"])
    prefix = str(checkpoint(project, "mobilenet-v2"))
    ours = [str(Path(sys.executable).with_name("ckpt-action")), "inspect", prefix]
    stock = [sys.executable, "-c", _LIST, prefix]
    mine, theirs = in_turns(rounds, lambda: run(ours, project), lambda: run(stock, project))
    return Comparison(
        title="list a checkpoint's variables",
        ours=Way(name="ckpt-action inspect", cost=mine),
        other=Way(name="tf.train.list_variables", cost=theirs),
        wall_goal=1 / 20,
    )


def validate(folder: Path, rounds: int) -> Comparison:
    project = project_of(folder)
    ours, stock = validate_commands()
    mine, theirs = in_turns(rounds, lambda: run(ours, project), lambda: run(stock, project))
    return Comparison(
        title="validate 60 lines of TOML",
        ours=Way(name="ckpt-action validate", cost=mine),
        other=Way(name="check-jsonschema", cost=theirs),
        wall_goal=1 / 2,
    )
