"""Probes, golden files and the controls on the live model, with TensorFlow in a child."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def reference(ask):
    def reference(task, **arguments):
        answer = ask(f"probe_tasks:{task}", **arguments)
        assert answer.problems == ()
        return answer.result

    return reference


def test_seeded_probes_have_different_sizes(reference):
    found = reference("plain")
    sizes = [label.split("(")[1] for label in found["labels"]]
    assert sizes == ["batch=2)", "batch=1)", "batch=1)", "batch=2)"]
    assert {name: passed for name, (passed, _) in found["proofs"].items()} == {
        "golden": None,
        "deterministic": True,
        "sensitive": True,
        "rows": None,
        "origin": True,
    }
    assert found["problems"] == []
    assert found["values"] == [[1.0, 2.0]], "the perturbed weights are put back"


def test_integers_stay_inside_an_embedding(reference):
    found = reference("vocabulary")
    assert found["problems"] == []
    *drawn, cut = found["labels"]
    assert len(drawn) == 4
    assert cut == "sample 0 (batch=2, time=5) cut to time=1"


def test_free_sizes_grow_until_the_model_takes_them(reference):
    found = reference("large_image")
    assert found["problems"] == []
    assert found["labels"][0] == "sample 0 (batch=2, height=128)"


def test_inputs_that_give_nan_are_drawn_positive(reference):
    assert reference("square_root")["problems"] == []


def test_nan_for_some_seeded_inputs_is_a_warning(reference):
    ((severity, message),) = reference("some_nan")["problems"]
    assert severity == "warning"
    assert "NaN values" in message


def test_outputs_that_do_not_react_prove_nothing_and_say_so(reference):
    found = reference("insensitive")
    passed, detail = found["proofs"]["sensitive"]
    ((severity, message),) = found["problems"]
    assert (severity, passed) == ("warning", None)
    assert "the same outputs for all inputs that were tried" in message
    assert "not verifiable by outputs" in detail
    assert "the inputs" in detail
    assert "w:0" in detail
    assert "stored bytes alone answer for the weights" in detail


@pytest.mark.parametrize("still", ["first", "last"])
def test_the_first_and_the_last_variable_are_both_changed(reference, still):
    passed, detail = reference("one_is_still", still=still)["proofs"]["sensitive"]
    assert passed is None
    assert f"which do not move with {still}:0;" in detail


def test_state_is_put_back_after_every_call(reference):
    found = reference("stateful")
    assert found["problems"] == []
    assert found["values"] == [[2.0], 10.0]


def test_dropout_left_on_is_an_error_although_its_seed_could_be_put_back(reference):
    found = reference("seeded_dropout")
    ((severity, message),) = found["problems"]
    assert severity == "error"
    assert "different outputs for the same inputs" in message
    assert found["proofs"]["deterministic"][0] is False
    assert found["values"] == [[2.0], [1, 2]]


def test_a_model_that_refuses_every_probe_is_an_error(reference):
    ((severity, message),) = reference("impossible")["problems"]
    assert severity == "error"
    assert "refuses every seeded input" in message


def test_arrays_survive_the_way_between_children(reference):
    assert reference("arrays") == {"equal": True}


X = np.array([[1, 2], [3, 4]], np.float32)
Y = X * np.array([1, 2], np.float32)


@pytest.mark.parametrize("name", ["out_y", "out_0"])
def test_golden_outputs_are_named_or_counted(reference, tmp_path, name):
    np.savez(tmp_path / "g.npz", in_x=X, **{name: Y})
    found = reference("golden", file=str(tmp_path / "g.npz"))
    assert found["labels"] == [
        "golden", "golden (batch=3)", "golden cut to batch=1",
        "sample 0 (batch=2)", "sample 1 (batch=1)",
    ]  # fmt: skip
    assert found["proofs"]["golden"][0] is True
    assert found["problems"] == []


def test_golden_inputs_are_taken_with_another_number_of_rows(reference, tmp_path):
    np.savez(tmp_path / "g.npz", in_x=X, out_y=X * 2)
    ((severity, message),) = reference("two_rows", file=str(tmp_path / "g.npz"))["problems"]
    assert severity == "error"
    assert "golden (batch=3)" in message


def test_a_tolerance_that_zeros_would_meet_is_a_warning(reference, tmp_path):
    np.savez(tmp_path / "g.npz", in_x=X, out_y=Y)
    found = reference("golden", file=str(tmp_path / "g.npz"), atol=100.0)
    ((severity, message),) = found["problems"]
    assert severity == "warning"
    assert "zeros would agree" in message


def test_a_wrong_golden_value_is_an_error_of_the_model(reference, tmp_path):
    np.savez(tmp_path / "g.npz", in_x=X, out_y=Y + np.float32(0.01))
    ((severity, message),) = reference("golden", file=str(tmp_path / "g.npz"))["problems"]
    assert severity == "error"
    assert "does not compute the golden values of output 'y'" in message


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"in_x": X}, "g.npz holds in_x; this model takes x: float32[batch, 2]"),
        ({"out_y": Y}, "needs in_x, out_y"),
        ({"in_x": X, "out_y": Y, "in_z": X}, "holds in_x, out_y, in_z;"),
        ({"in_x": X, "out_z": Y}, "holds in_x, out_z;"),
        ({"in_x": X.astype("float64"), "out_y": Y}, "dtype float64, expected float32"),
        ({"in_x": X, "out_y": Y.astype("float64")}, "dtype float64, expected float32"),
        ({"in_x": X[:0], "out_y": Y}, "'in_x' is empty"),
        ({"in_x": X, "out_y": Y * np.float32("nan")}, "NaN and infinite values only"),
        ({"in_x": X[0], "out_y": Y}, "shape [2], expected [batch, 2]"),
        ({"in_x": X[:, :1], "out_y": Y}, "shape [2, 1], expected [batch, 2]"),
    ],
)
def test_a_golden_file_that_does_not_fit_is_a_problem_of_the_configuration(
    ask, tmp_path, arrays, says
):
    np.savez(tmp_path / "g.npz", **arrays)
    problems = ask("probe_tasks:golden", file=str(tmp_path / "g.npz")).problems
    assert {problem.code.name for problem in problems} == {"CONFIG"}
    assert says in problems[0].message
    assert len(problems) == 1
    assert problems[0].where.file.endswith("g.npz")


@pytest.mark.parametrize("content", [None, b"not a zip", b"PK\x03\x04broken"])
def test_a_golden_file_that_cannot_be_read(ask, tmp_path, content):
    if content is not None:
        (tmp_path / "g.npz").write_bytes(content)
    (problem,) = ask("probe_tasks:golden", file=str(tmp_path / "g.npz")).problems
    assert problem.code.name == "CONFIG"


def test_a_pickle_is_never_loaded(ask, tmp_path):
    np.savez(tmp_path / "g.npz", in_x=np.array([{}], object), out_y=Y)
    (problem,) = ask("probe_tasks:golden", file=str(tmp_path / "g.npz")).problems
    assert problem.code.name == "CONFIG"
    assert "pickle" in problem.message


def test_a_graph_that_onednn_cannot_run_is_told_from_a_wrong_model(reference):
    found = reference("fused_tanh")
    if not found["problems"]:
        pytest.skip("this machine's TensorFlow runs it")
    ((_, message),) = found["problems"]
    assert message.endswith("Fusion is not implemented: [FusedBatchNorm,Tanh]")
