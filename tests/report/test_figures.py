"""What a run is called in one word."""

from __future__ import annotations

from dataclasses import replace

from sample import digits

from ckpt_action.outcome import Latency
from ckpt_action.report.figures import Status, artifact_status, job_status, latencies


def test_an_artifact_whose_values_nobody_compared_is_not_called_proven():
    job = digits()
    artifact = job.artifacts[0]
    assert artifact_status(artifact) is Status.PROVEN
    unseen = replace(artifact, verdicts=(), unproven={"values": "there is nothing that runs it"})
    assert artifact_status(unseen) is Status.UNPROVEN
    assert job_status(replace(job, artifacts=(artifact, unseen))) is Status.UNPROVEN


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
