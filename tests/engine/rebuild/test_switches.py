"""A model that is still told that it is being trained is refused, or called for inference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cases import as_restored, make_job, problem_of, rebuilt, run, signature, tf, traced

from ckpt_action.config.records import Verify
from ckpt_action.engine.metagraph.unfed import unfed
from ckpt_action.engine.rebuild.rebuild import rebuild
from ckpt_action.engine.trace.trace import trace
from ckpt_action.engine.trace.training_attributes import left_in_training
from ckpt_action.errors import Severity

X = signature(x=("float32", "batch", 4))
GOLDEN = {"verify": Verify(golden=Path("golden.npz"))}


@pytest.mark.parametrize(
    ("entry_point", "shown"), [("ByText", "mode='train'"), ("ByMember", "phase=Mode.TRAIN")]
)
def test_a_default_that_says_training_is_refused(entry_point, shown):
    problem = problem_of(rebuilt, f"switches:{entry_point}", X)
    assert problem.severity is Severity.ERROR
    assert shown in problem.message
    (problem,) = rebuilt(f"switches:{entry_point}", X, **GOLDEN).problems
    assert problem.severity is Severity.WARNING


def test_a_method_that_passes_the_other_mode_is_taken():
    declared = signature(method="predict", x=("float32", "batch", 4))
    assert not rebuilt("switches:ByText", declared).problems


def test_a_truth_value_by_another_name_is_switched():
    found = run(traced("switches:ByTruth", X), x=np.ones((1, 4)))
    np.testing.assert_allclose(found["output_0"], [[4, 4]])


def left(entry_point, **options):
    job = make_job(f"switches:{entry_point}", X, **options)
    model = rebuild(job)
    traced = trace(as_restored(model), "m", "not asked for")
    return model, traced, job


@pytest.mark.parametrize(
    ("entry_point", "shown"),
    [
        ("ByAttribute", "is_training = True"),
        ("ByAttributeOfAPart", "part/is_training = True"),
        ("ByConfiguration", "config/mode = <Mode.TRAIN: 1>"),
        ("ByEntry", "config/is_training = True"),
        ("ByTextAttribute", "mode = 'train'"),
        ("ByAttributeOnce", "is_training = True"),
    ],
)
def test_an_attribute_that_decides_is_refused(entry_point, shown):
    problem = problem_of(left_in_training, *left(entry_point))
    assert problem.severity is Severity.ERROR
    assert f"by {shown}." in problem.message
    (problem,) = left_in_training(*left(entry_point, **GOLDEN))
    assert problem.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("entry_point", "arguments"),
    [("ByAttribute", {"value": False}), ("ByAttributeOnce", {"value": False}), ("Unasked", {})],
)
def test_nothing_is_said_of_an_attribute_that_decides_nothing(entry_point, arguments):
    model, traced, job = left(entry_point, arguments=arguments)
    assert left_in_training(model, traced, job) == ()
    assert model.model.is_training is arguments.get("value", True)


@pytest.mark.parametrize(
    ("name", "default", "severity"),
    [
        ("is_training", True, Severity.ERROR),
        ("tower/phase_train", True, Severity.ERROR),
        ("is_training", False, Severity.WARNING),
        ("training/shuffled", True, Severity.WARNING),
        ("temperature", 5.0, Severity.WARNING),
    ],
)
def test_a_default_of_a_tf1_graph_that_nobody_feeds(name, default, severity):
    with tf.Graph().as_default() as graph:
        tf.compat.v1.placeholder_with_default(default, [], name=name)
    nodes = {node.name: node for node in graph.as_graph_def().node}
    (problem,) = unfed(X, nodes, nodes)
    assert problem.severity is severity
    assert f"{name}:0" in problem.message
