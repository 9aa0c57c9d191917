"""What an artifact may differ from the model, and when answers pass that need no model."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from ckpt_action.config.records import Verify
from ckpt_action.engine.prove.artifact.quantised import quantised_problems
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.outputs.columns import lost_columns
from ckpt_action.engine.prove.outputs.judgement import judge
from ckpt_action.engine.prove.outputs.spread import allowances
from ckpt_action.engine.prove.outputs.trivial import trivially_passed
from ckpt_action.processes.requests import Quantised

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


PIXELS = RANDOM.uniform(0, 640, size=(6, 3))
SCORES = RANDOM.uniform(0.2, 0.9, size=(6, 1))


@pytest.mark.parametrize("wrong", [np.zeros((6, 1)), 1 - SCORES, np.full((6, 1), SCORES.mean())])
def test_a_column_beside_larger_ones_is_looked_at_alone(wrong):
    probes = probes_of(np.hstack([PIXELS, SCORES]))
    answer = np.hstack([PIXELS, wrong]).astype(np.float32)
    assert passes(probes, [answer], 0.1)
    assert lost_columns(probes, [{"y": answer}]) == {("s", "y"): (3,)}


@pytest.mark.parametrize(("inputs", "shown"), [((0, 0), True), ((0, 1), False)])
def test_one_row_again_and_again_has_no_other_order(inputs, shown):
    """The rows of a golden file of one image differ by the rounding of a larger batch."""
    images = RANDOM.normal(size=(2, 8, 8, 3)).astype(np.float32)
    near = np.array([[0.5, -3.0]], np.float32)
    rows = [near, np.concatenate([near, np.nextafter(near, np.float32(9))])]
    given = [images[:1], images[list(inputs)]]
    probes = tuple(
        replace(probe, inputs={"x": x}) for probe, x in zip(probes_of(*rows), given, strict=True)
    )
    verdicts = judged(probes, [p.reference["y"] for p in probes], None)
    found = trivially_passed(probes, verdicts, loosened=False)
    assert found == ({} if shown else {("s", "y"): "the rows in another order"})


def test_columns_that_are_near_are_not_lost():
    probes = probes_of(np.hstack([PIXELS, SCORES]))
    answer = np.hstack([PIXELS + 9, SCORES + 0.05]).astype(np.float32)
    assert lost_columns(probes, [{"y": answer}]) == {}


def test_a_probability_that_is_never_large_may_be_lost():
    sure = np.full((6, 3), 1e-3) * RANDOM.uniform(size=(6, 3))
    sure[:, 0] = RANDOM.uniform(0.9, 1.0, size=6)
    probes = probes_of(sure)
    assert lost_columns(probes, [{"y": np.where(sure > 0.5, sure, 0)}]) == {}


def test_an_output_without_values_shows_nothing():
    probes = probes_of(np.zeros((0, 4)), np.zeros((0, 4)))
    verdicts = judged(probes, [p.reference["y"] for p in probes], None)
    assert all(v.passed for v in verdicts)
    what = trivially_passed(probes, verdicts, loosened=False)
    assert what == {("s", "y"): "it is empty on every probe"}


def too_coarse(probes, answers, max_error, quantised, verdicts=()):
    allowed = allowances(probes, max_error)
    verdicts = (*judged(probes, answers, max_error), *verdicts)
    return quantised_problems("It", quantised, verdicts, allowed)


INT8 = Quantised(how="int8", default=True)


def test_what_is_said_of_coarse_values_would_let_them_pass():
    values = RANDOM.normal(size=(3, 4))
    probes, answers = probes_of(values, values[:1]), [values + 0.5, values[:1]]
    told, (problem,) = too_coarse(probes, answers, 0.1, INT8)
    assert set(told) == {("s", "y")}
    assert "from the restored model. `max-error` allows 0.1, the default of int8" in problem.message
    (enough,) = re.findall(r"`max-error = (.+?)`", problem.hint)
    assert passes(probes, answers, float(enough))
    assert not passes(probes, answers, float(enough) * 0.8)
    (problem,) = too_coarse(probes, answers, 0.1, replace(INT8, how="float16", default=False))[1]
    assert "as declared" in problem.message
    assert "representative-data" not in problem.hint


def test_golden_values_of_coarse_outputs_are_told_of_in_the_same_words():
    values = RANDOM.normal(size=(3, 4)).astype(np.float32)
    probes = tuple(replace(p, golden=p.reference) for p in probes_of(values))
    answer = {"y": values + np.float32(0.5)}
    golden = judge(probes[0], answer, Verify(), against="golden", allowed=allowances(probes, 0.1))
    (problem,) = too_coarse(probes, [answer["y"]], 0.1, INT8, golden)[1]
    assert "from the restored model and 0." in problem.message
    assert "from its golden values" in problem.message


@pytest.mark.parametrize(
    "answer", [np.zeros((3, 5)), np.full((3, 4), np.nan), np.full((3, 4), 99.0)]
)
def test_what_is_no_answer_at_all_is_not_called_coarse(answer):
    probes = probes_of(RANDOM.normal(size=(3, 4)))
    assert too_coarse(probes, [answer], 0.1, INT8) == (set(), [])
    assert too_coarse(probes, [answer], 0.1, None) == ((), [])
