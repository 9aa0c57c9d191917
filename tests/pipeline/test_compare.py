"""The comparison says no whenever it should, and names where and by how much."""

from __future__ import annotations

import numpy as np
import pytest

from ckpt_action.verify import compare, tolerances

NAN, INF = float("nan"), float("inf")


def f32(*values):
    return np.array(values, np.float32)


def test_equal_arrays_pass_with_zero_difference():
    verdict = compare(f32(1, 2), f32(1, 2))
    assert verdict.passed
    assert (verdict.max_abs, verdict.max_rel) == (0.0, 0.0)
    assert (verdict.rtol, verdict.atol) == (1e-5, 1e-6)


@pytest.mark.parametrize(
    ("expected", "actual", "reason"),
    [
        (f32(1), np.array([1.0]), "dtype float64, expected float32"),
        (f32(1, 2), f32(1), r"shape [1], expected [2]"),
        (f32([1], [2]), f32(1, 2), r"shape [2], expected [2, 1]"),
        (f32(1, 2), f32(1, 2.001), "1 of 2 values are outside"),
        (f32(1), f32(NAN), "NaN at 1 places where a number"),
        (f32(NAN), f32(1), "a number at 1 places where NaN"),
        (f32(NAN, 1), f32(1, NAN), "NaN at 1 places where a number"),
        (f32(1), f32(INF), "outside"),
        (f32(INF), f32(1), "outside"),
        (f32(INF), f32(-INF), "outside"),
        (f32(INF), f32(NAN), "NaN at 1 places"),
        (np.array([1, 2]), np.array([1, 3]), "1 of 2 values differ, the first at [1]"),
        (np.array([True]), np.array([False]), "differ"),
        (np.array([b"a"], object), np.array([b"b"], object), "differ"),
        (np.array([2**53], np.int64), np.array([2**53 + 1], np.int64), "differ"),
        (np.array(7), np.array(8), "the first at []"),
    ],
)
def test_what_differs_fails_and_says_how(expected, actual, reason):
    verdict = compare(expected, actual, rtol=1e-5, atol=1e-6)
    assert not verdict.passed
    assert reason in verdict.reason


def test_nan_and_infinity_at_the_same_places_pass_with_a_note():
    verdict = compare(f32(NAN, INF, 1), f32(NAN, INF, 1))
    assert verdict.passed
    assert verdict.reason == "NaN at the same 1 places"
    assert (verdict.nan_count, verdict.inf_count) == (1, 1)


def test_tolerances_are_not_swapped():
    large, small = f32(1e6), f32(1e-3)
    assert compare(large, large + 5, rtol=1e-5, atol=0.0).passed
    assert not compare(large, large + 5, rtol=0.0, atol=1e-5).passed
    assert compare(small, small * 1.005, rtol=0.0, atol=1e-5).passed
    assert not compare(small, small * 1.005, rtol=1e-5, atol=0.0).passed


def test_the_relative_tolerance_is_of_the_expected_value():
    assert not compare(f32(1.0), f32(2.0), rtol=0.5, atol=0.0).passed
    assert compare(f32(2.0), f32(1.0), rtol=0.5, atol=0.0).passed


def test_the_worst_place_is_the_one_that_exceeds_its_tolerance_most():
    verdict = compare(f32([1000.0, 0.0]), f32([1000.005, 0.004]), rtol=1e-5, atol=1e-6)
    assert verdict.worst_index == (0, 1)
    assert verdict.max_abs == pytest.approx(0.005, rel=0.1)


def test_defaults_by_dtype_and_a_declared_value_wins():
    assert tolerances("float32", "golden", rtol=None, atol=None) == (1e-4, 1e-5)
    assert tolerances("float64", "reference", rtol=None, atol=None) == (1e-5, 1e-6)
    assert tolerances("float16", "reference", rtol=None, atol=None) == (5e-3, 1e-3)
    assert tolerances("bfloat16", "golden", rtol=0.5, atol=None) == (0.5, 2e-2)
    assert tolerances("float32", "golden", rtol=0.0, atol=0.0) == (0.0, 0.0)


def test_bfloat16_is_compared_as_a_float():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    one = np.array([1.0], ml_dtypes.bfloat16)
    assert compare(one, np.array([1.0078125], ml_dtypes.bfloat16)).passed
    assert not compare(one, np.array([1.5], ml_dtypes.bfloat16)).passed


def test_complex_and_empty_and_scalar():
    assert compare(np.array([1 + 1j]), np.array([1 + 1j])).passed
    assert not compare(np.array([1 + 1j]), np.array([1 - 1j])).passed
    assert compare(f32(), f32()).passed
    assert compare(np.float32(1).reshape(()), np.float32(1).reshape(())).worst_index == ()
