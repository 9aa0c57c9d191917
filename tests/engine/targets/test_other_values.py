"""What is said of an artifact that computes something else than the model."""

from __future__ import annotations

import pytest

from ckpt_action.engine.prove.artifact.findings import Findings
from ckpt_action.engine.prove.artifact.other_values import other_values
from ckpt_action.engine.prove.outputs.spread import Allowance
from ckpt_action.outcome import OutputVerdict

ALLOWED = {("s", "y"): Allowance(part=1e-4, added=1e-4)}


def verdict(number, off, **other):
    return OutputVerdict(
        signature="s",
        dtype="float32",
        shape=(2, 3),
        output="y",
        probe=f"sample {number}",
        against="reference",
        passed=False,
        max_abs=off,
        max_rel=off,
        worst_index=(0, 0),
        reason="1 of 6 values are outside the tolerance",
        rtol=1e-5,
        atol=1e-4,
        **{"nan_count": 0, "inf_count": 0} | other,
    )


def test_an_output_is_named_once_with_its_worst_probe():
    ((what, _),) = other_values([verdict(0, 1e-3), verdict(1, 2e-3)], ALLOWED, "")
    assert "another 'y'" in what
    assert "2 probes, the worst sample 1)" in what


@pytest.mark.parametrize(("half", "off"), [("float16", 1.54e-3), ("bfloat16", 0.0999)])
def test_rounding_to_sixteen_bits_is_named_as_the_cause(half, off):
    ((_, hint),) = other_values([verdict(0, off)], ALLOWED, half)
    assert f"computes in {half}" in hint
    assert "dtype policy `float32`" in hint
    assert f"`max-error = {'0.0016' if half == 'float16' else '0.1'}`" in hint


@pytest.mark.parametrize(
    ("half", "wrong"),
    [
        ("", verdict(0, 1e-3)),
        ("float16", verdict(0, 0.5)),
        ("float16", verdict(0, 1e-3, nan_count=1)),
        ("float16", verdict(0, None)),
    ],
)
def test_what_rounding_does_not_explain_is_not_excused(half, wrong):
    ((_, hint),) = other_values([wrong], ALLOWED, half)
    assert "max-error" not in hint
    assert "in another way than TensorFlow" in hint


def test_nobody_changed_what_is_being_exported():
    said = {}
    for fresh in (True, False):
        found = Findings("onnx", {}, fresh=fresh)
        found.fail("cannot be read")
        said[fresh] = found.problems[0].hint
    assert said[True] == "It must not be used."
    assert "If it was changed after the export" in said[False]
