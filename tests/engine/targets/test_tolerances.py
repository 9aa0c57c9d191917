"""What an artifact may differ from the model, and when answers pass that need no model."""

from __future__ import annotations

import numpy as np
import pytest

from ckpt_action.config.records import Verify
from ckpt_action.engine.prove.judgement import judge
from ckpt_action.engine.prove.probes import Probe
from ckpt_action.engine.prove.spread import allowances
from ckpt_action.engine.prove.trivial import trivially_passed

RANDOM = np.random.default_rng(0)


def probes_of(*arrays):
    return tuple(
        Probe(signature="s", label=str(i), inputs={}, reference={"y": np.asarray(a, np.float32)})
        for i, a in enumerate(arrays)
    )


def judged(probes, answers, max_error, verify=None):
    allowed = allowances(probes, max_error)
    return tuple(
        verdict
        for probe, answer in zip(probes, answers, strict=True)
        for verdict in judge(
            probe,
            {"y": np.asarray(answer, np.float32)},
            verify or Verify(),
            against="reference",
            allowed=allowed,
        )
    )


def passes(probes, answers, max_error):
    return all(v.passed for v in judged(probes, answers, max_error))


def test_a_mask_among_logits_makes_no_room_for_wrong_ones():
    logits = RANDOM.normal(size=(2, 8)).astype(np.float32)
    masked = np.where(np.arange(8) < 5, logits, -1e9)
    probes = probes_of(masked)
    assert passes(probes, [masked + np.float32(1e-5)], 1e-4)
    assert not passes(probes, [np.where(np.arange(8) < 5, -logits, -1e9)], 1e-4)
    assert not passes(probes, [np.where(np.arange(8) < 5, logits, -1e8)], 1e-4)


@pytest.mark.parametrize("mark", [-1e9, 3e38, -1e4])
def test_marks_may_be_most_of_the_values_and_beside_infinities(mark):
    values = np.full((4, 10), mark)
    values[:, 0] = RANDOM.normal(size=4)
    values[:, 9] = np.inf
    assert not passes(probes_of(values), [np.where(np.abs(values) < 50, 0, values)], 0.1)


def test_a_constant_is_no_answer_around_300_kelvin():
    kelvin = [300 + RANDOM.normal(size=(n, 1)) for n in (2, 1, 1, 2)]
    probes = probes_of(*kelvin)
    assert passes(probes, [k + 0.05 for k in kelvin], 0.1)
    assert not passes(probes, [np.full_like(k, 300) for k in kelvin], 0.1)


def test_a_smaller_error_than_the_tolerances_decides():
    values = RANDOM.normal(size=(3, 2)).astype(np.float32)
    probes, near = probes_of(values), np.nextafter(values, np.float32(9))
    assert passes(probes, [near], None)
    assert passes(probes, [near], 1e-4)
    assert not passes(probes, [near], 1e-12)


def test_one_sure_class_among_many_is_no_mark():
    sure = np.full((2, 1000), 1e-6)
    sure[:, 7] = 0.98
    assert passes(probes_of(sure), [sure + 0.01], 0.1)


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([[0.9, 0.1]] * 2 + [[0.88, 0.12]], "the rows in another order"),
        ([[5.0, 5.0], [5.0, 5.0]], "their mean"),
    ],
)
def test_what_needs_no_model_and_would_pass_too_is_said(rows, what):
    probes = probes_of(rows, [[*rows[0]]])
    verdicts = judged(probes, [p.reference["y"] for p in probes], 0.1)
    assert trivially_passed(probes, verdicts, loosened=True) == {("s", "y"): what}


def test_a_declared_tolerance_that_zeros_pass_shows_nothing():
    values = RANDOM.normal(size=(3, 2)) * 1e-3
    probes, verify = probes_of(values), Verify(atol=0.1)
    verdicts = judged(probes, [values], None, verify)
    assert trivially_passed(probes, verdicts, loosened=False) == {("s", "y"): "zeros"}


@pytest.mark.parametrize("values", [RANDOM.normal(size=(3, 2)), np.full((3, 2), 4.0)])
def test_plain_tolerances_show_what_values_there_are(values):
    probes = probes_of(values)
    verdicts = judged(probes, [values], None)
    assert trivially_passed(probes, verdicts, loosened=False) == {}
