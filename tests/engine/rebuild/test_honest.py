"""A model that does not compute what its restored weights say is refused, or named."""

from __future__ import annotations

import numpy as np
import pytest
from cases import (
    KERAS_3,
    as_restored,
    make_job,
    problem_of,
    problems_of,
    rebuilt,
    run,
    signature,
    tf,
    traced,
)

from ckpt_action.config.records import Verify
from ckpt_action.engine.objects import reachable_variables
from ckpt_action.engine.prove.live import LiveSignature
from ckpt_action.engine.prove.reference import make_reference
from ckpt_action.engine.prove.rows import rows_apart
from ckpt_action.engine.rebuild.fresh import seed_generators
from ckpt_action.engine.rebuild.rebuild import rebuild
from ckpt_action.engine.restore.finish import finish
from ckpt_action.engine.restore.model_variables import live_model
from ckpt_action.engine.trace.trace import trace
from ckpt_action.engine.trace.twin import make_twin
from ckpt_action.errors import ExitCode, Severity
from ckpt_action.outcome import ArtifactOutcome, CheckpointRecord, JobOutcome
from ckpt_action.report.figures import Status, job_status

IN_KERAS_3 = pytest.mark.skipif(not KERAS_3, reason="Keras 2 makes them inside a function")
X4 = signature(x=("float32", "batch", 4))


def restored_with_others(entry_point, *signatures, **options):
    """A model in which a checkpoint put other values than it was made with, and what is said."""
    job = make_job(f"dishonest:{entry_point}", *(signatures or [X4]), **options)
    restored = as_restored(rebuild(job))
    for number, one in enumerate(restored.variables):
        value = one.variable.numpy()
        one.variable.assign((value * 0.5 + number + 1).astype(value.dtype))
    finish(live_model(restored.rebuilt))
    model = trace(restored, "m", make_twin(restored, job.checkpoint))
    return model, make_reference(model, job.model.verify)


def proof_of_origin(found):
    (proof,) = (proof for proof in found.proofs if proof.name == "origin")
    return proof


def warnings_of(model):
    return [p.message for p in model.problems if p.severity is Severity.WARNING]


@pytest.mark.parametrize(
    ("entry_point", "named"),
    [
        ("ReadsScalarEarly", "constant 1 (the model's attribute `scale`)"),
        ("CachesAtFirstCall", "attribute `normal`"),
        ("CopiesKernel", "attribute `copied`"),
        ("CopiesKernelAsTensor", "attribute `copied`"),
        ("CopiesTransposedAndReads", "attribute `back`"),
        ("CopiesScaled", "attribute `copied`"),
        ("CopiesSlice", "attribute `copied`"),
        ("CopiesInClosure", "float32[4, 4]"),
        ("DecidesByInitialValue", "operation"),
        ("DecidesByZero", "operation"),
        ("copies_while_building", "attribute `_layers.1.copied`"),
        ("LooksUpInitialValues", "operation"),
        ("LooksUpInOneForUnknownWords", "operation"),
        ("NamesByChance", "attribute `scale`"),
        ("DrawsWhenMade", "attribute `mixing`"),
        ("draws_in_a_module_variable", "float32[4, 4]"),
    ],
)
def test_what_no_checkpoint_holds_and_reaches_the_outputs_is_an_error(entry_point, named):
    _, found = restored_with_others(entry_point)
    (problem,) = found.problems
    assert problem.severity is Severity.ERROR
    assert problem.code is ExitCode.VERIFY
    assert "depends on more than the checkpoint" in problem.message
    assert named in problem.message
    assert proof_of_origin(found).passed is False


@pytest.mark.parametrize(
    "entry_point",
    [
        "HalfUsed",
        "SeedsWhenMade",
        pytest.param("normalized", marks=IN_KERAS_3),
        "CountsLayers",
        "ReadsAndForgets",
        "LooksUpWhatItHolds",
    ],
)
def test_what_comes_out_the_same_from_other_initial_values_is_fine(entry_point):
    _, found = restored_with_others(entry_point)
    assert found.problems == ()
    assert proof_of_origin(found).passed


@pytest.mark.parametrize(
    ("entry_point", "named"),
    [("KeepsWithoutEffect", "attribute `copied`"), ("SumsOverASet", "operation")],
)
def test_a_difference_that_no_probe_shows_is_a_warning(entry_point, named):
    _, found = restored_with_others(entry_point)
    (problem,) = found.problems
    assert problem.severity is Severity.WARNING
    assert named in problem.message
    assert proof_of_origin(found).passed is None


def test_a_golden_file_has_the_last_word(tmp_path):
    golden = tmp_path / "golden.npz"
    x = np.ones((2, 4), np.float32)
    np.savez(golden, in_x=x, out_output_0=x @ np.full((4, 4), 2.5, np.float32))
    _, found = restored_with_others("ReadsScalarEarly", verify=Verify(golden=golden))
    (problem,) = found.problems
    assert problem.severity is Severity.WARNING
    assert "depends on more" in problem.message
    assert proof_of_origin(found).passed is None


@pytest.mark.parametrize("golden", [False, True])
@pytest.mark.parametrize("entry_point", ["HalfUsed", "KeepsWithoutEffect", "ReadsScalarEarly"])
def test_status_and_exit_code_say_the_same(entry_point, golden, tmp_path):
    verify = Verify()
    if golden:
        right, _ = restored_with_others(entry_point)
        x = np.ones((2, 4), np.float32)
        verify = Verify(golden=tmp_path / "golden.npz")
        np.savez(verify.golden, in_x=x, **{f"out_{k}": v for k, v in run(right, x=x).items()})
    _, found = restored_with_others(entry_point, verify=verify)
    job = JobOutcome(
        name="m",
        model="m",
        checkpoint=CheckpointRecord(path="", kind="", writer="", step=None, sha256="", bytes=0),
        entry_point="",
        proofs=found.proofs,
        verdicts=found.verdicts,
        problems=found.problems,
        artifacts=(ArtifactOutcome(format="saved-model", name="m", folder="m"),),
    )
    assert (job_status(job) is Status.FAILED) is bool(job.exit_code)


@pytest.mark.parametrize(
    ("entry_point", "why"),
    [
        ("made_once", "hands out the same variables a second time"),
        ("fails_the_second_time", "RuntimeError: only once"),
        ("MakesInsideAFunction", "shift could not begin with its restored value"),
    ],
)
def test_a_model_that_cannot_be_made_twice_is_named(entry_point, why):
    model, found = restored_with_others(entry_point)
    (warning,) = warnings_of(model)
    assert why in warning
    assert proof_of_origin(found).passed is None


def test_memory_that_runs_out_the_second_time_stops_the_export():
    (problem,) = problems_of(restored_with_others, "has_no_memory_the_second_time")
    assert "MemoryError" in problem.message


def test_a_model_that_is_made_otherwise_is_refused():
    problem = problem_of(restored_with_others, "GrowsByInitialValue")
    assert problem.code is ExitCode.REBUILD
    assert "2 variables instead of 1" in problem.message


def test_variables_that_nothing_reads_are_named():
    model, _ = restored_with_others("HalfUsed")
    (message,) = warnings_of(model)
    assert "other" in message
    assert "ones" not in message


def test_outputs_that_do_not_depend_on_the_checkpoint_are_refused():
    problem = problem_of(restored_with_others, "ReadsNothing")
    assert problem.code is ExitCode.SIGNATURE
    assert "no signature reads any restored variable (w)" in problem.message


@IN_KERAS_3
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


def test_what_is_drawn_without_a_seed_is_the_same_in_every_run_and_seen_all_the_same():
    values = []
    for _ in range(2):
        seed_generators()
        model = rebuilt("dishonest:recurrent_dropout")
        values.append([v.numpy().tolist() for _, v in reachable_variables(model.model)])
    assert values[0] == values[1]
    seed_generators()
    _, found = restored_with_others("draws_by_the_shared_generator")
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
