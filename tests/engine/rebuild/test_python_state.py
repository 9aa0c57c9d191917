"""What Python keeps from call to call, and the clock that it reads, are in no artifact."""

from __future__ import annotations

import time

import pytest
from cases import signature, traced

from ckpt_action.config.records import Verify
from ckpt_action.engine.prove.model.reference import make_reference
from ckpt_action.errors import Severity


def found(method="__call__", entry_point="python_state:Scales"):
    model = traced(entry_point, signature(method=method, x=("float32", "batch", 4)))
    reference = make_reference(model, Verify())
    origin = next((p for p in reference.proofs if p.name == "origin"), None)
    return model.problems, reference.problems, origin


@pytest.mark.parametrize(
    ("method", "named"),
    [
        ("counts_itself", "changes calls"),
        ("counts_in_a_dict", "changes counts['calls']"),
        ("counts_in_the_module", "changes python_state.CALLS"),
    ],
)
def test_what_each_call_changes_leaves_the_origin_open(method, named):
    (warning,), others, origin = found(method)
    assert warning.severity is Severity.WARNING
    assert named in warning.message
    assert others == ()
    assert origin.passed is None
    assert named in origin.detail


def test_layers_count_too():
    (warning,), _, origin = found(entry_point="python_state:counts_in_a_layer")
    assert ".calls" in warning.message
    assert origin.passed is None


@pytest.mark.parametrize("method", ["by_the_month", "by_the_weekday", "by_the_hour"])
def test_a_date_is_named_and_not_proven(method):
    """Where Python makes it of `time.time` it is another one, which is an error."""
    (warning,), others, origin = found(method)
    assert "reads the date" in warning.message
    assert warning.where.file.endswith("python_state.py")
    assert origin.passed is None if origin else others


@pytest.mark.parametrize("method", ["by_seconds", "by_seconds_of_its_own_name"])
def test_seconds_that_are_computed_with_are_an_error(method):
    _, (problem,), _ = found(method)
    assert problem.severity is Severity.ERROR
    assert "each time" in problem.message


@pytest.mark.parametrize("method", ["keeps_what_it_saw", "takes_its_time"])
def test_what_computes_nothing_is_fine(method):
    problems, others, origin = found(method)
    assert (problems, others, origin.passed) == ((), (), True)


def test_the_clock_goes_on_as_before():
    before = time.time()
    found("by_seconds")
    assert 0 <= time.time() - before < 600
