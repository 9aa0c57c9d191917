"""What a run is called in one word."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sample import digits, run

from ckpt_action.errors import ExitCode
from ckpt_action.outcome import Latency, Proof
from ckpt_action.report.figures import latencies
from ckpt_action.status import Status, artifact_status, job_status, not_shown, run_status


def test_an_artifact_whose_values_nobody_compared_is_not_called_proven():
    job = digits()
    artifact = job.artifacts[0]
    assert artifact_status(artifact) is Status.PROVEN
    unseen = replace(artifact, verdicts=(), unproven={"values": "there is nothing that runs it"})
    assert artifact_status(unseen) is Status.UNPROVEN
    assert job_status(replace(job, artifacts=(artifact, unseen))) is Status.UNPROVEN


@pytest.mark.parametrize("broken", ["proof", "verdict", "of the model", "nothing written"])
def test_what_is_called_failed_never_ends_with_exit_code_0(broken):
    job = digits()
    artifact = job.artifacts[0]
    proof = Proof(name="edges", passed=False)
    verdict = replace(artifact.verdicts[0], passed=False)
    wrong = {
        "proof": replace(job, artifacts=(replace(artifact, proofs=(*artifact.proofs, proof)),)),
        "verdict": replace(job, artifacts=(replace(artifact, verdicts=(verdict,)),)),
        "of the model": replace(job, proofs=(*job.proofs, proof)),
        "nothing written": replace(job, artifacts=()),
    }[broken]
    assert not any(p.is_error for p in wrong.all_problems)
    assert job_status(wrong) is run_status(run(wrong)) is Status.FAILED
    assert run(wrong).exit_code is wrong.exit_code is ExitCode.VERIFY
    assert wrong.passed is False
    assert job_status(job) is not Status.FAILED
    assert run(job).exit_code is ExitCode.OK


def as_of(job, **proofs):
    """`job` with other outcomes of its own proofs, and of its first artifact's `payload`."""
    payload = proofs.pop("payload", True)
    artifact = job.artifacts[0]
    held = Proof(name="payload", passed=payload)
    kept = [p for p in artifact.proofs if p.name != "payload"]
    made = [Proof(name=n, passed=p, detail="so", signature="s") for n, p in proofs.items()]
    return replace(
        job, proofs=tuple(made), artifacts=(replace(artifact, proofs=(*kept, held)),), verdicts=()
    )


def test_what_may_come_from_elsewhere_is_proven_by_golden_values_alone():
    assert job_status(as_of(digits(), origin=True)) is Status.PROVEN
    untwinned = as_of(digits(), origin=None)
    assert job_status(untwinned) is Status.UNPROVEN
    verdict = replace(digits().artifacts[0].verdicts[0], signature="s", against="golden")
    assert job_status(replace(untwinned, verdicts=(verdict,))) is Status.PROVEN
    alike = tuple(replace(p, beyond_golden=True) for p in untwinned.proofs)
    untold = replace(untwinned, proofs=alike, verdicts=(verdict,))
    assert job_status(untold) is Status.UNPROVEN, "golden values are the same either way"
    other = replace(verdict, signature="another")
    assert job_status(replace(untwinned, verdicts=(other,))) is Status.UNPROVEN


def test_a_model_that_python_was_not_asked_about_is_proven_and_says_so():
    job = as_of(digits(), origin=True, eager=None)
    assert job_status(job) is Status.PROVEN
    assert not_shown(job) == ("so",)


def test_weights_that_neither_outputs_nor_bytes_tell_of_are_not_proven():
    assert job_status(as_of(digits(), sensitive=None)) is Status.PROVEN
    assert job_status(as_of(digits(), sensitive=True, payload=None)) is Status.PROVEN
    unheld = as_of(digits(), sensitive=None, payload=None)
    assert job_status(unheld) is Status.UNPROVEN
    assert any("outputs do not move" in text for text in not_shown(unheld))
    (artifact,) = as_of(digits(), sensitive=None).artifacts
    folded = replace(artifact, transformed=("kernel",))
    job = replace(as_of(digits(), sensitive=None), artifacts=(folded,))
    assert job_status(job) is Status.UNPROVEN


def test_values_that_were_compared_to_no_avail_are_not_proven():
    artifact = digits().artifacts[0]
    idle = Proof(name="values", passed=None, detail="not shown: zeros would pass")
    artifact = replace(artifact, proofs=(*artifact.proofs, idle))
    assert artifact_status(artifact) is Status.UNPROVEN


def test_payloads_may_be_answered_for_by_values():
    artifact = replace(digits().artifacts[0], unproven={"payload": "all is quantised"})
    assert artifact_status(artifact) is Status.PROVEN


def test_a_latency_is_told_with_runs_call_and_machine():
    artifact = replace(
        digits().artifacts[0],
        latency=Latency(seconds=0.0021, runs=50, call="serve, golden", machine="a slow one"),
    )
    assert latencies(replace(digits(), artifacts=(artifact,))) == [
        "one call of saved-model takes 2.1 ms: median of 50 calls of serve, golden, on a slow one"
    ]
