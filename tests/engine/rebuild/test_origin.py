"""What was never restored and reaches the outputs: the model is made a second time and compared."""

from __future__ import annotations

import numpy as np
import pytest
from cases import (
    KERAS_3,
    problem_of,
    problems_of,
    restored_with_others,
    run,
    signature,
    traced,
)

from ckpt_action.config.records import Verify
from ckpt_action.errors import ExitCode, Severity
from ckpt_action.outcome import ArtifactOutcome, CheckpointRecord, JobOutcome
from ckpt_action.status import Status, job_status

IN_KERAS_3 = pytest.mark.skipif(not KERAS_3, reason="Keras 2 makes them inside a function")
X4 = signature(x=("float32", "batch", 4))


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
        ("copies_while_building", "attribute `layer.copied`"),
        ("LooksUpInitialValues", "operation"),
        ("LooksUpInOneForUnknownWords", "operation"),
        ("NamesByChance", "attribute `scale`"),
        ("DrawsWhenMade", "attribute `mixing`"),
        ("draws_in_a_module_variable", "float32[4, 4]"),
    ],
)
def test_what_no_checkpoint_holds_and_reaches_the_outputs_is_an_error(entry_point, named):
    _, found = restored_with_others(f"keeps:{entry_point}")
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
        "HalfPrecisionScalars",
    ],
)
def test_what_comes_out_the_same_from_other_initial_values_is_fine(entry_point):
    _, found = restored_with_others(f"keeps:{entry_point}")
    assert found.problems == ()
    assert proof_of_origin(found).passed


@pytest.mark.parametrize(
    ("entry_point", "named"),
    [("KeepsWithoutEffect", "attribute `copied`"), ("SumsOverASet", "operation")],
)
def test_a_difference_that_no_probe_shows_is_a_warning(entry_point, named):
    _, found = restored_with_others(f"keeps:{entry_point}")
    (problem,) = found.problems
    assert problem.severity is Severity.WARNING
    assert named in problem.message
    assert proof_of_origin(found).passed is None


def test_a_golden_file_has_the_last_word(tmp_path):
    golden = tmp_path / "golden.npz"
    x = np.ones((2, 4), np.float32)
    np.savez(golden, in_x=x, out_output_0=x @ np.full((4, 4), 2.5, np.float32))
    _, found = restored_with_others("keeps:ReadsScalarEarly", verify=Verify(golden=golden))
    (problem,) = found.problems
    assert problem.severity is Severity.WARNING
    assert "depends on more" in problem.message
    assert proof_of_origin(found).passed is None


def test_a_golden_file_that_does_not_tell_them_apart_decides_nothing(tmp_path):
    golden = tmp_path / "golden.npz"
    zeros = np.zeros((2, 4), np.float32)
    np.savez(golden, in_x=zeros, out_output_0=zeros)
    _, found = restored_with_others("keeps:ReadsScalarEarly", verify=Verify(golden=golden))
    assert proof_of_origin(found).passed is False
    (problem,) = (p for p in found.problems if p.is_error)
    assert "though not on the golden inputs" in problem.message


@pytest.mark.parametrize("golden", [False, True])
@pytest.mark.parametrize("entry_point", ["HalfUsed", "KeepsWithoutEffect", "ReadsScalarEarly"])
def test_status_and_exit_code_say_the_same(entry_point, golden, tmp_path):
    verify = Verify()
    if golden:
        right, _ = restored_with_others(f"keeps:{entry_point}")
        x = np.ones((2, 4), np.float32)
        verify = Verify(golden=tmp_path / "golden.npz")
        np.savez(verify.golden, in_x=x, **{f"out_{k}": v for k, v in run(right, x=x).items()})
    _, found = restored_with_others(f"keeps:{entry_point}", verify=verify)
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
    alike = entry_point == "KeepsWithoutEffect"
    assert proof_of_origin(found).beyond_golden is alike, "golden outputs are the same either way"


@pytest.mark.parametrize(
    ("entry_point", "why"),
    [
        ("made_once", "hands out the same variables a second time"),
        ("fails_the_second_time", "RuntimeError: only once"),
        ("MakesInsideAFunction", "shift could not begin with its restored value"),
    ],
)
def test_a_model_that_cannot_be_made_twice_is_named(entry_point, why):
    model, found = restored_with_others(f"keeps:{entry_point}")
    (warning,) = warnings_of(model)
    assert why in warning
    assert proof_of_origin(found).passed is None


def test_memory_that_runs_out_the_second_time_stops_the_export():
    (problem,) = problems_of(restored_with_others, "keeps:has_no_memory_the_second_time")
    assert "MemoryError" in problem.message


def test_a_model_that_is_made_otherwise_is_refused():
    problem = problem_of(restored_with_others, "keeps:GrowsByInitialValue")
    assert problem.code is ExitCode.REBUILD
    assert "2 variables instead of 1" in problem.message


def test_variables_that_nothing_reads_are_named():
    model, _ = restored_with_others("keeps:HalfUsed")
    (message,) = warnings_of(model)
    assert "other" in message
    assert "ones" not in message


def test_outputs_that_do_not_depend_on_the_checkpoint_are_refused():
    problem = problem_of(restored_with_others, "keeps:ReadsNothing")
    assert problem.code is ExitCode.SIGNATURE
    assert "no signature reads any restored variable (w)" in problem.message


@IN_KERAS_3
def test_what_keras_copies_again_after_a_restore_is_fine():
    assert warnings_of(traced("keeps:normalized", X4)) == []
