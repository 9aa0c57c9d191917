"""A model that does not compute what its restored weights say is refused, or named."""

from __future__ import annotations

import numpy as np
import pytest
from cases import (
    problem_of,
    rebuilt,
    restored_with_others,
    run,
    signature,
    tf,
    traced,
)

from ckpt_action.config.records import Verify
from ckpt_action.engine.objects import reachable_variables
from ckpt_action.engine.prove.model.live import LiveSignature
from ckpt_action.engine.prove.model.reference import make_reference
from ckpt_action.engine.prove.model.rows import rows_apart
from ckpt_action.engine.rebuild.fresh import seed_generators
from ckpt_action.errors import ExitCode, Severity

X4 = signature(x=("float32", "batch", 4))


def warnings_of(model):
    return [p.message for p in model.problems if p.severity is Severity.WARNING]


def test_batch_statistics_are_known_by_what_is_written_not_by_a_class_name():
    problem = problem_of(traced, "dishonest:NormsByBatch", X4)
    assert "training mode" in problem.message
    assert "norm" in problem.message


def test_a_counter_that_every_call_writes_is_a_warning():
    (message,) = warnings_of(traced("dishonest:Counts", X4))
    assert "calls" in message


@pytest.mark.parametrize(
    "method", ["train", "is_train", "deterministic", "inference", "test", "no_switch"]
)
def test_other_names_for_inference_mode(method):
    model = traced("dishonest:Switched", signature(method=method, x=("float32", 1, 4)))
    assert run(model, x=np.ones((1, 4)))["output_0"].max() == 4.0
    notes = [
        p
        for p in rebuilt(
            "dishonest:Switched", signature(method=method, x=("float32", 1, 4))
        ).problems
        if p.severity is Severity.NOTE
    ]
    assert [method in note.message for note in notes] == [True] * (method != "no_switch")


def reference(method):
    declared = signature(method=method, x=("float32", "batch", 4))
    return make_reference(traced("dishonest:DrawsInPython", declared), Verify())


@pytest.mark.parametrize("method", ["numpy_noise", "python_choice", "by_a_name", "counted"])
def test_what_changes_from_trace_to_trace_is_an_error(method):
    (problem,) = reference(method).problems
    assert problem.severity is Severity.ERROR
    assert problem.code is ExitCode.VERIFY
    assert "each time" in problem.message


@pytest.mark.parametrize("place", ["lambda", "custom_gradient"])
def test_calls_counted_in_a_layer_are_no_less_an_error(place):
    """The twin was called as often: its graph is equal."""
    model = traced(f"dishonest:counts_in_a_{place}", X4)
    assert model.signatures[0].twin is None
    (problem,) = make_reference(model, Verify()).problems
    assert "each time" in problem.message


@pytest.mark.parametrize("method", ["harmless", "looped"])
def test_other_graphs_that_compute_the_same_are_fine(method):
    assert reference(method).problems == ()


def test_a_graph_that_is_the_same_is_not_kept_twice():
    declared = signature(method="looped", x=("float32", "batch", 4))
    assert traced("dishonest:DrawsInPython", declared).signatures[0].again is None


@pytest.mark.parametrize("entry_point", ["scores_and_boxes", "ReturnsListOfDicts"])
def test_outputs_declared_in_another_order_than_their_own_names(entry_point):
    declared = signature(["boxes", "scores"], x=("float32", "batch", 4))
    problem = problem_of(traced, f"dishonest:{entry_point}", declared)
    assert problem.code is ExitCode.SIGNATURE
    assert "scores, boxes" in problem.message


@pytest.mark.parametrize("names", [["scores", "boxes"], ["a", "b"], ["scores", "b"]])
def test_outputs_in_their_own_order_or_under_new_names(names):
    declared = signature(names, x=("float32", "batch", 4))
    model = traced("dishonest:scores_and_boxes", declared)
    assert [o.name for o in model.signatures[0].record.outputs] == names


def test_inputs_declared_in_another_order_than_the_parameters():
    declared = signature(key=("float32", "batch", 4), q=("float32", "batch", 4))
    problem = problem_of(rebuilt, "dishonest:TakesTwo", declared)
    assert problem.code is ExitCode.SIGNATURE
    assert "query, key" in problem.message


def rows_of(entry_point, shape=("batch", 4)):
    declared = signature(x=("float32", *shape))
    found = make_reference(traced(f"dishonest:{entry_point}", declared), Verify())
    (proof,) = (p for p in found.proofs if p.name == "rows")
    return proof.passed, [p.message for p in found.problems]


def test_rows_that_influence_each_other_are_a_warning():
    passed, (message,) = rows_of("NormsByBatchByHand")
    assert passed is None
    assert "other rows of the batch" in message


def test_rows_of_their_own():
    assert rows_of("scores_and_boxes") == (True, [])


@pytest.mark.parametrize("shape", [("n", "n"), (2, 4)])
def test_rows_are_not_looked_at_where_the_first_size_is_no_batch(shape):
    assert rows_of("ScalesBySum", shape) == (None, [])


def test_variables_that_change_while_they_are_traced():
    problem = problem_of(restored_with_others, "dishonest:ClipsWhileTraced")
    assert problem.code is ExitCode.SIGNATURE
    assert "wrote w while it was traced" in problem.message


def test_two_keys_that_become_one_name():
    declared = signature(["a_b"], x=("float32", "batch", 4))
    assert "the same name" in problem_of(traced, "dishonest:SameKeys", declared).message


def test_new_names_for_a_dict_of_inputs_which_has_no_order():
    declared = signature(q=("float32", "batch", 3), k=("float32", "batch", 3))
    problem = problem_of(rebuilt, "models:functional_dict", declared)
    assert problem.code is ExitCode.SIGNATURE
    assert problem.hint == "Declare all of them under the model's names."


def test_keys_of_a_dict_that_are_no_legal_names_are_found_again():
    model = traced("dishonest:odd_keys")
    found = run(model, query_ids=np.full((1, 3), 5.0), key_ids=np.full((1, 3), 2.0))
    np.testing.assert_array_equal(found["output_0"], [[3.0, 3.0, 3.0]])


def test_what_is_drawn_without_a_seed_is_the_same_in_every_run_and_seen_all_the_same():
    values = []
    for _ in range(2):
        seed_generators()
        model = rebuilt("dishonest:recurrent_dropout")
        values.append([v.numpy().tolist() for _, v in reachable_variables(model.model)])
    assert values[0] == values[1]
    seed_generators()
    _, found = restored_with_others("keeps:draws_by_the_shared_generator")
    assert "attribute `mixing`" in found.problems[0].message


def outside(method, *others):
    declared = signature(method=method, x=("float32", "batch", 4), **dict(others))
    return traced("dishonest:ReadsOutside", declared)


@pytest.mark.parametrize("method", ["by_the_hour", "by_the_hour_in_a_branch"])
def test_outputs_that_depend_on_the_clock_are_refused(method):
    problem = problem_of(outside, method)
    assert problem.code is ExitCode.SIGNATURE
    assert "reads the clock (" in problem.message


@pytest.mark.parametrize(
    ("method", "says"), [("fixed_noise", "same random numbers"), ("file", "reads files")]
)
def test_fixed_noise_and_files_are_named(method, says):
    (message,) = warnings_of(outside(method))
    assert says in message


@pytest.mark.parametrize(
    "make", [lambda: outside("fixed_noise"), lambda: traced("dishonest:SeedOfAVariable", X4)]
)
def test_noise_that_every_call_repeats_leaves_the_origin_open(make):
    model = make()
    (message,) = warnings_of(model)
    assert "same random numbers" in message
    (origin,) = (p for p in make_reference(model, Verify()).proofs if p.name == "origin")
    assert origin.passed is None
    assert "adds random numbers by a seed" in origin.detail


def test_a_clock_that_reaches_no_output_and_noise_by_a_seed_that_is_given_are_fine():
    assert warnings_of(outside("clock_for_a_message")) == []
    assert warnings_of(outside("noise_by_input", ("seed", ("int32", 2)))) == []
    assert warnings_of(traced("dishonest:recurrent_dropout")) == []


def test_memory_that_ran_out_is_no_answer_about_rows():
    model = traced("dishonest:scores_and_boxes", X4)
    live = LiveSignature(model.signatures[0])
    probes = make_reference(model, Verify()).probes

    def run_out(inputs):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM")

    live.run = run_out
    with pytest.raises(tf.errors.ResourceExhaustedError):
        rows_apart(live, probes)


def test_nan_in_weights_is_told_of_and_not_loops_in_the_code():
    found = make_reference(traced("dishonest:LosesNaN", X4), Verify())
    (problem,) = (p for p in found.problems if p.severity is Severity.ERROR)
    assert "NaN at " in problem.message
    assert "the checkpoint holds NaN in w: training had diverged" in problem.message
    assert "something else as a graph" not in problem.message
