"""Weights that are kept out of tf2onnx's graphs: what comes out is what it makes of them inside."""

from __future__ import annotations

import keras_cases
import numpy as np
import pytest
import tensorflow as tf
import tf2onnx
from handmade import Case, assert_equal, spec, traced, traced_model

from ckpt_action.engine.onnx_graph import convert, shared
from ckpt_action.engine.targets import registry

ONNX = registry()["onnx"]


def by_tf2onnx_itself(graph, inputs, outputs):
    model, _ = tf2onnx.convert.from_graph_def(
        graph, input_names=inputs, output_names=outputs, opset=convert.OPSET
    )
    return model


def exported(case, folder) -> dict[str, bytes]:
    folder.mkdir()
    ONNX.export(case.model, folder, {})
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("name", ["convolutions", "recurrent", "masked_recurrent", "transformer"])
def test_the_file_is_the_one_that_tf2onnx_makes_alone(name, tmp_path, monkeypatch):
    """Kernels are transposed, and gates of recurrent layers taken apart and put together."""
    case = keras_cases.CASES[name]()
    for module in (convert, shared):
        monkeypatch.setattr(module, "LARGE", 2)  # so that small models have large weights
    found = exported(case, tmp_path / "found")
    monkeypatch.setattr(convert, "_converted", by_tf2onnx_itself)
    assert found == exported(case, tmp_path / "alone")


def test_a_constant_in_a_loop_that_has_the_name_of_a_weight_keeps_its_value(tmp_path):
    rng = np.random.default_rng(0)
    first, second = (rng.normal(size=(40, 40)).astype("float32") / 8 for _ in range(2))
    assert first.size >= shared.LARGE
    module = tf.Module()
    module.w = tf.Variable(first)

    def call(x):
        def step(i, y):
            kernel = tf.constant(second, name="matmul/ReadVariableOp")
            return i + 1, tf.nn.relu(y @ kernel)

        with tf.name_scope("while/"):
            start = x @ module.w
        return {"y": tf.while_loop(lambda i, y: i < 3, step, (0, start))[1]}

    model = traced_model(module, traced(call, spec("x", "float32", "n", 40)))
    x = rng.normal(size=(2, 40)).astype("float32")
    case = Case(model=model, inputs={"serving_default": {"x": x}}, keep=module)
    graph = model.signatures[0].function.graph.as_graph_def()
    inside = {node.name for function in graph.library.function for node in function.node_def}
    assert "while/matmul/ReadVariableOp" in inside & {node.name for node in graph.node}
    ONNX.export(model, tmp_path, {})
    found = ONNX.open_artifact(tmp_path, ()).run("serving_default", {"x": x})
    assert_equal(found, case.live("serving_default"))


def test_nothing_of_tf2onnx_stays_changed(tmp_path):
    update = shared.Node.update_proto
    with shared.shared_constants():
        assert shared.Node.update_proto is not update
    assert shared.Node.update_proto is update
    assert "__deepcopy__" not in vars(shared.Node)
