"""A model that does not compute what its restored weights say is refused, or named."""

from __future__ import annotations

import numpy as np
import pytest
from cases import as_restored, problem_of, problems_of, rebuilt, run, signature, tf, traced

from ckpt_action.config.records import Verify
from ckpt_action.engine.prove.reference import make_reference
from ckpt_action.engine.rebuild.initial import initial_values
from ckpt_action.engine.trace.trace import trace
from ckpt_action.errors import ExitCode, Severity

X4 = signature(x=("float32", "batch", 4))


def restored_with_others(entry_point, *signatures):
    """A model in which a checkpoint put other values than it was made with, traced."""
    model = rebuilt(f"dishonest:{entry_point}", *(signatures or [X4]))
    initial = initial_values(model)
    restored = as_restored(model)
    for number, one in enumerate(restored.variables):
        value = one.variable.numpy()
        one.variable.assign((value * 0.5 + number + 1).astype(value.dtype))
    return trace(restored, "m", initial)


def warnings_of(model):
    return [p.message for p in model.problems if p.severity is Severity.WARNING]


def test_a_variable_that_was_read_too_early_is_named():
    (message,) = warnings_of(restored_with_others("ReadsScalarEarly"))
    assert "temperature" in message
    assert "No signature reads" in message


def test_a_cache_filled_by_the_first_call_is_an_error():
    problem = problem_of(restored_with_others, "CachesAtFirstCall")
    assert "float32[6, 4]" in problem.message
    assert "words" in problem.message


@pytest.mark.parametrize("entry_point", ["CopiesKernel", "CopiesKernelAsTensor"])
def test_a_copy_of_a_variable_that_nothing_reads_is_an_error(entry_point):
    (problem,) = problems_of(restored_with_others, entry_point)
    assert problem.code is ExitCode.SIGNATURE
    assert "kernel" in problem.message
    assert "initial value" in problem.message


def test_a_copy_is_found_where_the_variable_is_read_as_well():
    problem = problem_of(restored_with_others, "CopiesTransposedAndReads")
    assert "initial value of w" in problem.message


def test_a_constant_is_an_error_where_the_initial_values_are_not_known():
    restored = as_restored(rebuilt("dishonest:CopiesKernel", X4))
    for one in restored.variables:
        one.variable.assign(one.variable + tf.ones((), one.variable.dtype))
    assert "kernel" in problem_of(trace, restored, "m").message


def test_parts_that_are_not_used_are_named_and_other_constants_are_fine():
    (message,) = warnings_of(restored_with_others("HalfUsed"))
    assert "other" in message
    assert "ones" not in message


def test_what_keras_copies_again_after_a_restore_is_fine():
    assert warnings_of(traced("dishonest:normalized", X4)) == []


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


@pytest.mark.parametrize("method", ["numpy_noise", "python_choice", "counted"])
def test_what_changes_from_trace_to_trace_is_an_error(method):
    (problem,) = reference(method).problems
    assert problem.severity is Severity.ERROR
    assert problem.code is ExitCode.VERIFY
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
    problem = problem_of(restored_with_others, "ClipsWhileTraced")
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
