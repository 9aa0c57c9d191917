"""What an artifact's values prove depends on what ran it."""

from __future__ import annotations

import pytest
import tensorflow as tf
from tfjs_running import case_of, export, in_node, needs_node, noise  # noqa: F401

from ckpt_action.codec import to_data
from ckpt_action.config.records import Verify
from ckpt_action.engine import verify_job
from ckpt_action.engine.arrays import digest
from ckpt_action.engine.prove.probe_file import save_probes
from ckpt_action.engine.prove.probes import Probe
from ckpt_action.processes.requests import VerifyRequest


def proof_of_values(folder):
    """Of a model of one kernel, as the verifying child judges it."""
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
    )
    result = verify_job.run(to_data(request), folder)
    assert result.problems == ()
    (proof,) = (p for p in result.proofs if p.name == "values")
    return proof


def test_what_tensorflow_read_back_is_not_proven(tmp_path, monkeypatch):
    monkeypatch.delenv("CKPT_ACTION_TFJS", raising=False)
    proof = proof_of_values(tmp_path)
    assert proof.passed is None
    assert "TensorFlow.js did not run them" in proof.detail


@needs_node
@pytest.mark.usefixtures("in_node")
def test_what_tensorflow_js_ran_is_proven(tmp_path):
    assert proof_of_values(tmp_path).passed
