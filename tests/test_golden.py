"""`record_golden`, the helper that training programs call."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ckpt_action import record_golden


def recorded(path):
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def test_a_single_array_is_output_0(tmp_path):
    path = record_golden(tmp_path / "sub" / "g.npz", lambda x: x * 2, x=np.arange(3.0))
    assert recorded(path).keys() == {"in_x", "out_0"}
    np.testing.assert_array_equal(recorded(path)["out_0"], [0.0, 2.0, 4.0])


def test_numpy_is_all_it_needs(tmp_path):
    """A training program has its own environment, and nothing of ours in it."""
    program = """
import sys
import numpy as np
for name in ("tensorflow", "keras", "tf_keras", "tomli", "jsonschema", "h5py", "tree_sitter"):
    sys.modules[name] = None
from ckpt_action import record_golden
record_golden("g.npz", lambda x: x + 1, x=np.ones(1))
"""
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    assert recorded(tmp_path / "g.npz")["out_0"] == [2.0]


def test_dict_outputs_keep_their_names(tmp_path):
    path = record_golden(
        tmp_path / "g.npz", lambda a, b: {"sum": a + b, "a": a}, a=1.0, b=np.array([2.0, 3.0])
    )
    assert recorded(path).keys() == {"in_a", "in_b", "out_a", "out_sum"}


def test_nested_sequences_are_flattened_in_order(tmp_path):
    path = record_golden(tmp_path / "g.npz", lambda x: (x, [x + 1, (x + 2,)]), x=np.zeros(2))
    arrays = recorded(path)
    assert [arrays[f"out_{i}"][0] for i in range(3)] == [0.0, 1.0, 2.0]


def test_a_callable_that_takes_its_input_by_position_only(tmp_path):
    def model(x, /):
        return -x

    path = record_golden(tmp_path / "g.npz", model, ids=np.array([1, 2], np.int32))
    assert recorded(path)["in_ids"].dtype == np.int32


def test_strings_need_no_unpickling(tmp_path):
    path = record_golden(tmp_path / "g.npz", lambda x: x, x=np.array(["ab", "c"], dtype=object))
    assert recorded(path)["out_0"].tolist() == [b"ab", b"c"]


def test_a_type_error_inside_the_model_is_not_swallowed(tmp_path):
    def model(a, b):
        raise TypeError("from inside")

    with pytest.raises(TypeError, match="from inside"):
        record_golden(tmp_path / "g.npz", model, a=1, b=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("fn", "inputs"),
    [
        (lambda: 1, {}),
        (lambda x: [], {"x": 1}),
        (lambda x: object(), {"x": 1}),
        (lambda x: x, {"x": np.zeros((0, 4))}),
        (lambda x: x, {"x": [np.nan, np.inf]}),
    ],
)
def test_what_cannot_be_recorded_is_refused(tmp_path, fn, inputs):
    with pytest.raises(
        ValueError, match=r"needs at least|nothing to record|dtype object|would prove nothing"
    ):
        record_golden(tmp_path / "g.npz", fn, **inputs)
    assert list(tmp_path.iterdir()) == []


def test_several_inputs_that_nothing_tells_the_order_of(tmp_path):
    with pytest.raises(ValueError, match=r"`lambda a, b: model\(\[a, b\]\)`"):
        record_golden(tmp_path / "g.npz", lambda pair: pair, a=[1.0], b=[2.0])
