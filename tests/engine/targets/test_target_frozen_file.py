"""The frozen graph's file as bytes: framing, scanning, and running it without a second copy."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import replace

import keras_cases
import module_cases
import numpy as np
import pytest
import tensorflow as tf
from handmade import Case, assert_equal, spec, traced, traced_model
from tensorflow.core.framework import graph_pb2

from ckpt_action.codec import from_data, to_data
from ckpt_action.config.records import Verify
from ckpt_action.engine import verify_job
from ckpt_action.engine.arrays import digest
from ckpt_action.engine.freeze import artifact as frozen_artifact
from ckpt_action.engine.freeze import freeze, write
from ckpt_action.engine.freeze.io_json import read_io
from ckpt_action.engine.freeze.scan import GraphFile
from ckpt_action.engine.prove.inputs.probe_file import save_probes
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.targets import frozen_graph
from ckpt_action.errors import CkptActionError, ExitCode
from ckpt_action.processes.requests import VERIFY, Request, VerifyRequest, VerifyResult
from ckpt_action.processes.supervisor import Supervisor


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    case = keras_cases.mobilenet()
    folder = tmp_path_factory.mktemp("mobilenet")
    frozen_graph.export(case.model, folder, {})
    return case, folder


def test_a_streamed_file_is_what_protobuf_would_write(tmp_path):
    for name in ("every_dtype_and_shape", "several_signatures", "captured_constants"):
        frozen = freeze(module_cases.CASES[name]().model)
        write(frozen, tmp_path / name)
        parsed = graph_pb2.GraphDef.FromString((tmp_path / name).read_bytes())
        scanned = GraphFile(tmp_path / name)
        assert [n.name for n in parsed.node] == [n.name for n in frozen.graph.node]
        again = graph_pb2.GraphDef.FromString(scanned.rest())
        for stored in scanned.nodes():
            if stored.payload is not None:
                content = scanned.value(stored).tobytes()
                stored.node.attr["value"].tensor.tensor_content = content
            again.node.append(stored.node)
        assert again == parsed


def test_large_payloads_are_fed_with_the_same_result(exported, monkeypatch):
    case, folder = exported
    feeds = case.inputs["serving_default"]
    whole = frozen_graph.open_artifact(folder, ())
    assert whole.notes() == ()
    monkeypatch.setattr(frozen_artifact.FrozenGraphArtifact, "whole_limit", 1 << 16)
    fed = frozen_graph.open_artifact(folder, ())
    assert "without its large weights" in fed.notes()[0]
    reference = case.live("serving_default")
    assert_equal(whole.run("serving_default", feeds), reference)
    assert_equal(fed.run("serving_default", feeds), reference)
    assert dict(whole.payloads()) == dict(fed.payloads())


def test_a_fed_weight_comes_from_the_file(exported, tmp_path, monkeypatch):
    case, folder = exported
    monkeypatch.setattr(frozen_artifact.FrozenGraphArtifact, "whole_limit", 1 << 16)
    largest = max((v.variable.numpy() for v in case.model.variables), key=lambda v: v.size)
    for file in folder.iterdir():
        changed = file.read_bytes().replace(largest.tobytes(), (largest * 1.5).tobytes())
        (tmp_path / file.name).write_bytes(changed)
    fed = frozen_graph.open_artifact(tmp_path, ())
    feeds = case.inputs["serving_default"]
    with pytest.raises(AssertionError):
        assert_equal(fed.run("serving_default", feeds), case.live("serving_default"))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda pb, io: pb.write_bytes(pb.read_bytes()[:-9]), "past the end"),
        (lambda pb, io: pb.write_bytes(b""), "cannot be read"),
        (lambda pb, io: pb.unlink(), "cannot be read"),
        (lambda pb, io: io.unlink(), "has 0 files"),
        (lambda pb, io: io.write_text("{}"), "cannot be read"),
        (lambda pb, io: edit(io, "weights", "tensor", "gone:0"), "no constant 'gone'"),
        (lambda pb, io: edit(io, "inputs", "tensor", "gone:0"), "no tensor 'gone:0'"),
        (lambda pb, io: edit(io, "inputs", "dtype", "int32"), "not int32"),
    ],
)
def test_files_that_do_not_fit_each_other_are_told(damage, message, tmp_path):
    case = keras_cases.dense()
    frozen_graph.export(case.model, tmp_path, {})
    damage(tmp_path / "tiny.pb", tmp_path / "tiny.io.json")
    with pytest.raises(CkptActionError, match=message) as caught:  # noqa: PT012 - any step may
        artifact = frozen_graph.open_artifact(tmp_path, ())
        dict(artifact.payloads())
        artifact.run("serving_default", {"x": np.zeros((1, 8), "float32")})
    assert caught.value.problems[0].code is ExitCode.VERIFY


def edit(io, part: str, key: str, value: str) -> None:
    data = json.loads(io.read_text())
    holder = data if part in data else data["signatures"][0]
    holder[part][0][key] = value
    io.write_text(json.dumps(data))


def large():
    """Two matrices, together of more than TensorFlow is let import whole."""
    module = tf.Module()
    module.up = tf.Variable(tf.fill((4096, 8400), 2.0**-12), name="up")
    module.down = tf.Variable(tf.fill((8400, 4096), 2.0**-13), name="down")
    x = np.random.default_rng(1).normal(size=(2, 4096)).astype("float32")
    serving = traced(lambda x: {"y": x @ module.up @ module.down}, spec("x", "float32", "n", 4096))
    return Case(
        model=traced_model(module, serving), inputs={"serving_default": {"x": x}}, keep=module
    )


def saved_probe(case, file):
    """`file`, with the inputs of `case` and what the model makes of them."""
    probe = Probe(
        signature="serving_default",
        label="sample 0",
        inputs=case.inputs["serving_default"],
        reference=case.live("serving_default"),
    )
    save_probes(file, (probe,))
    return file


@pytest.mark.skipif(sys.platform != "linux", reason="children are not forked from one server")
def test_verifying_a_large_file_takes_less_than_twice_its_size(tmp_path):
    """Above what TensorFlow takes once it is imported."""
    case = large()
    written = frozen_graph.export(case.model, tmp_path, {})
    size = (tmp_path / "tiny.pb").stat().st_size
    assert size > frozen_artifact.FrozenGraphArtifact.whole_limit
    request = VerifyRequest(
        format="frozen-graph",
        name="frozen-graph",
        folder=tmp_path,
        signatures=written.signatures,
        variables={v.path: digest(v.variable.numpy()) for v in case.model.variables},
        payloads=written.payloads,
        verify=Verify(),
        probes=saved_probe(case, tmp_path / "probes.npz"),
    )
    nothing = replace(request, folder=tmp_path / "nowhere")
    with contextlib.closing(Supervisor(jobs=1, folder=tmp_path, environ=os.environ)) as supervisor:
        imported, verified = (
            supervisor.run(
                "keras-3",
                Request(task=VERIFY, arguments=to_data(one), work=tmp_path / str(n), timeout=300),
            )
            for n, one in enumerate((nothing, request))
        )
    result = from_data(VerifyResult, verified.result)
    assert result.problems == ()
    assert {p.name: p.passed for p in result.proofs} == dict.fromkeys(
        ("signature", "payload", "values"), True
    )
    assert verified.ended.peak_rss - imported.ended.peak_rss < 2 * size


def test_the_proof_says_that_weights_were_fed(exported, tmp_path, monkeypatch):
    case, folder = exported
    request = VerifyRequest(
        format="frozen-graph",
        name="frozen-graph",
        folder=folder,
        signatures=read_io(folder).signatures,
        variables={},
        payloads={},
        verify=Verify(rtol=1e-3, atol=1e-4),  # deep, and rounded by the processor
        probes=saved_probe(case, tmp_path / "probes.npz"),
    )
    for limit, fed in ((1 << 30, False), (1 << 16, True)):
        monkeypatch.setattr(frozen_artifact.FrozenGraphArtifact, "whole_limit", limit)
        result = verify_job.run(to_data(request), tmp_path)
        assert result.problems == ()
        (values,) = (proof for proof in result.proofs if proof.name == "values")
        assert values.passed
        assert ("without its large weights" in values.detail) == fed
