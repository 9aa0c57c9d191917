"""Shapes of outputs that tracing leaves open and that the written files know, and the other way."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from handmade import spec, traced, traced_model
from module_cases import Weights
from tensorflow.core.protobuf import saved_model_pb2

from ckpt_action.codec import to_data
from ckpt_action.config.records import Verify
from ckpt_action.engine import verify_job
from ckpt_action.engine.arrays import digest
from ckpt_action.engine.prove.inputs.probe_file import save_probes
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.targets import saved_model
from ckpt_action.processes.requests import VerifyRequest


@pytest.fixture
def request_of_a_lookup(tmp_path):
    """What is looked up in a table that grows has no rank until TensorFlow traces it again."""
    m = Weights()
    m.ranks = tf.lookup.experimental.MutableHashTable(tf.string, tf.float32, 0.5)
    m.ranks.insert(tf.constant(["a", "b"]), tf.constant([1.0, 2.0]))
    signature = traced(
        lambda word: {"y": m.ranks.lookup(word) * m.w[0, 0]}, spec("word", "string", "n")
    )
    assert signature.record.outputs[0].shape is None
    model = traced_model(m, signature, resources=(m.ranks,))
    written = saved_model.export(model, tmp_path / "made", {})
    assert written.signatures[0].outputs[0].shape is None
    words = np.array([b"b", b"c", b"a"], object)
    reference = signature.function(word=tf.constant(words))["y"].numpy()
    probe = Probe(
        signature="serving_default",
        label="sample 0",
        inputs={"word": words},
        reference={"y": reference},
    )
    save_probes(tmp_path / "probes.npz", (probe,))
    return VerifyRequest(
        format="saved-model",
        name="saved-model",
        folder=tmp_path / "made",
        signatures=written.signatures,
        variables={v.path: digest(v.variable.numpy()) for v in model.variables},
        payloads=written.payloads,
        verify=Verify(),
        probes=tmp_path / "probes.npz",
    )


def test_an_output_whose_rank_only_the_file_knows(request_of_a_lookup, tmp_path):
    assert verify_job.run(to_data(request_of_a_lookup), tmp_path).problems == ()


@pytest.mark.parametrize("sizes", [(3, 1), (5,)])
def test_a_shape_in_the_file_that_the_values_contradict(sizes, request_of_a_lookup, tmp_path):
    path = request_of_a_lookup.folder / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    output = model.meta_graphs[0].signature_def["serving_default"].outputs["y"]
    assert [d.size for d in output.tensor_shape.dim] == [-1]
    output.tensor_shape.CopyFrom(tf.TensorShape(sizes).as_proto())
    path.write_bytes(model.SerializeToString())
    (problem,) = verify_job.run(to_data(request_of_a_lookup), tmp_path).problems
    assert "declares another shape than it computes" in problem.message
    assert f"output 'y' has shape [3], declared {list(sizes)}" in problem.message
