"""What an artifact's values prove depends on what ran it."""

from __future__ import annotations

import pytest
import tensorflow as tf
from tfjs_running import TARGET, case_of, export, in_node, needs_node, noise  # noqa: F401

from ckpt_action.codec import to_data
from ckpt_action.config.records import TargetSpec, Verify
from ckpt_action.engine import verify_job
from ckpt_action.engine.arrays import digest
from ckpt_action.engine.prove.inputs.probe_file import save_probes
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.errors import CkptActionError
from ckpt_action.jobs.gates import gated
from ckpt_action.outcome import ArtifactOutcome
from ckpt_action.processes.requests import VerifyRequest


def verified(folder):
    """A model of one kernel, as the verifying child judges it."""
    kernel = noise(4, 4)
    case = case_of(lambda m, x: {"y": tf.matmul(x, m.kernel)}, {"kernel": kernel}, x=noise(3, 4))
    written = export(case, folder / "made")
    probe = Probe(
        signature="serving_default",
        label="sample 0",
        inputs=case.inputs["serving_default"],
        reference=case.live("serving_default"),
    )
    save_probes(folder / "probes.npz", (probe,))
    request = VerifyRequest(
        format="tfjs",
        name="tfjs",
        folder=folder / "made",
        signatures=written.signatures,
        variables={"kernel": digest(kernel)},
        payloads=written.payloads,
        verify=Verify(),
        max_error=written.rounding,
        probes=folder / "probes.npz",
        latency=True,
    )
    result = verify_job.run(to_data(request), folder)
    assert result.problems == ()
    return result


def proof_of_values(result):
    (proof,) = (p for p in result.proofs if p.name == "values")
    return proof


def gate(result, folder):
    """What the gate says of an artifact that was judged so."""
    artifact = ArtifactOutcome(
        format="tfjs", name="tfjs", folder="m/tfjs", proofs=result.proofs, latency=result.latency
    )
    return gated(artifact, TargetSpec(format="tfjs", name="tfjs", max_latency=60.0), folder)


def test_what_tensorflow_read_back_is_not_proven(tmp_path, monkeypatch):
    monkeypatch.delenv("CKPT_ACTION_TFJS", raising=False)
    result = verified(tmp_path)
    proof = proof_of_values(result)
    assert proof.passed is None
    once = "TensorFlow read it back. TensorFlow.js did not run the files, for CKPT_ACTION_TFJS"
    assert f"not shown by the format's own runtime: {once} names no folder" in proof.detail
    assert proof.detail.count("read") == 1
    assert "npm install --prefix tfjs-run @tensorflow/tfjs-core @tensorflow/" in proof.detail
    assert proof.detail.endswith("then CKPT_ACTION_TFJS=tfjs-run ckpt-action export")
    assert result.latency is None
    (problem,) = gate(result, tmp_path).problems
    assert "could not be timed here" in problem.message
    assert "CKPT_ACTION_TFJS names no folder" in problem.message


@needs_node
@pytest.mark.usefixtures("in_node")
def test_what_tensorflow_js_ran_is_proven(tmp_path):
    result = verified(tmp_path)
    assert proof_of_values(result).passed
    assert result.latency is not None
    assert 0 < result.latency.seconds < 60
    assert gate(result, tmp_path).passed


@needs_node
@pytest.mark.usefixtures("in_node")
@pytest.mark.parametrize("looped", [False, True])
def test_a_call_can_be_made_as_often_as_asked_for(tmp_path, looped):
    """Also of what only `executeAsync` runs, and until the process ends with its holder."""

    def call(m, x):
        if looped:
            x = tf.while_loop(lambda i, v: i < 2, lambda i, v: (i + 1, v * m.w), (0, x))[1]
        return {"y": x * m.w, "x": tf.identity(x)}

    case = case_of(call, {"w": noise(4)}, x=noise(3, 4))
    export(case, tmp_path)
    call = TARGET.open_artifact(tmp_path, ()).repeated(
        "serving_default", case.inputs["serving_default"]
    )
    for _ in range(3):
        call()
    process = call._process
    assert process.poll() is None
    del call
    assert process.poll() is not None


@needs_node
@pytest.mark.usefixtures("in_node")
def test_a_call_that_fails_says_why(tmp_path):
    case = case_of(lambda m, x: {"y": x @ m.w}, {"w": noise(4, 2)}, x=noise(3, 4))
    export(case, tmp_path)
    artifact = TARGET.open_artifact(tmp_path, ())
    with pytest.raises(CkptActionError, match="cannot run the artifact: Error"):
        artifact.repeated("serving_default", {"x": noise(3, 5)})()
