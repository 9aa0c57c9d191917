"""Records survive the way through JSON, and foreign data does not pass for a record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ckpt_action.checkpoint.records import CheckpointFiles, Kind, Writer
from ckpt_action.codec import from_data, to_data
from ckpt_action.config.records import EntryPoint, InputSpec, Model, Signature, TargetSpec
from ckpt_action.errors import ExitCode, Problem, Severity, Where
from ckpt_action.outcome import Run
from ckpt_action.plan import Job


def job():
    model = Model(
        name="m",
        entry_point=EntryPoint(
            module="a.b", attribute="build", arguments={"n": 3, "x": [1, {"y": None}]}
        ),
        checkpoints=("ckpt-*",),
        select=12,
        signatures=(
            Signature(
                name="serving_default",
                inputs=(InputSpec(name="x", dtype="float32", shape=("batch", 3)),),
                constants={"keep_prob:0": 1.0},
            ),
        ),
        targets=(TargetSpec(format="saved-model", name="saved-model"),),
    )
    checkpoint = CheckpointFiles(
        path=Path("/c/ckpt-1"),
        kind=Kind.OBJECT_GRAPH,
        writer=Writer.KERAS_3,
        step=1,
        files=(Path("/c/ckpt-1.index"),),
        bytes=9,
    )
    return Job(
        name="m", model=model, checkpoint=checkpoint, python_path=(Path("/c"),), folder=Path("/c")
    )


def test_a_job_survives_the_way_through_json():
    assert from_data(Job, json.loads(json.dumps(to_data(job())))) == job()


def test_a_problem_survives_the_way_through_json():
    run = Run(
        tool="1",
        config="f",
        jobs=(),
        problems=(
            Problem(
                code=ExitCode.RESTORE,
                severity=Severity.WARNING,
                message="m",
                where=Where(file="f", line=2),
                details=("a",),
            ),
        ),
    )
    assert from_data(Run, json.loads(json.dumps(to_data(run)))) == run


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("name"),
        lambda d: d.update(extra=1),
        lambda d: d.update(name=3),
        lambda d: d["checkpoint"].update(kind="nonsense"),
        lambda d: d["checkpoint"].update(bytes="9"),
        lambda d: d["checkpoint"].update(bytes=True),
        lambda d: d["model"].update(select="newest"),
        lambda d: d.update(python_path="/c"),
    ],
)
def test_data_of_another_form_is_refused(change):
    data = to_data(job())
    change(data)
    with pytest.raises((TypeError, ValueError)):
        from_data(Job, data)
