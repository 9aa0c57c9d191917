"""Names in a frozen graph are the declared ones."""

from __future__ import annotations

import json

import module_cases
import tensorflow as tf
from handmade import spec, traced, traced_model
from tensorflow.core.framework import graph_pb2

from ckpt_action.engine.targets import frozen_graph


def graph_of(folder) -> dict[str, graph_pb2.GraphDef]:
    (file,) = folder.glob("*.pb")
    return {n.name: n for n in graph_pb2.GraphDef.FromString(file.read_bytes()).node}


def test_one_signature_has_its_own_names(tmp_path):
    case = module_cases.CASES["noinline_function_with_variables"]()
    written = frozen_graph.export(case.model, tmp_path, {})
    nodes = graph_of(tmp_path)
    assert nodes["x"].op == nodes["ids"].op == "Placeholder"
    assert [d.size for d in nodes["x"].attr["shape"].shape.dim] == [-1, 4]
    assert nodes["y"].op == "Identity"
    assert nodes["w"].op == nodes["e"].op == "Const"
    (signature,) = written.signatures
    assert [t.tensor for t in signature.inputs] == ["x:0", "ids:0"]
    assert [t.tensor for t in signature.outputs] == ["y:0"]


def test_several_signatures_have_theirs_in_front(tmp_path):
    case = module_cases.CASES["several_signatures"]()
    frozen_graph.export(case.model, tmp_path, {"lower-control-flow": True})
    nodes = graph_of(tmp_path)
    assert {"encode/x", "encode/code", "decode/x", "decode/text", "w", "b"} <= set(nodes)
    frames = {n.attr["frame_name"].s for n in nodes.values() if n.op == "Enter"}
    assert {f.split(b"/")[0] for f in frames} == {b"encode", b"decode"}


def test_names_that_collide_are_told_apart_in_the_description(tmp_path):
    case = module_cases.CASES["awkward_names"]()
    frozen_graph.export(case.model, tmp_path, {})
    data = json.loads((tmp_path / "tiny.io.json").read_text())
    (signature,) = data["signatures"]
    named = {t["name"]: t["tensor"] for t in signature["inputs"] + signature["outputs"]}
    tensors = [t["tensor"] for t in signature["inputs"] + signature["outputs"]]
    tensors += [w["tensor"] for w in data["weights"]]
    assert len(tensors) == len(set(tensors))
    assert signature["inputs"][0]["tensor"] == "x:0"
    assert named["MatMul"] == "MatMul:0"
    assert {t.split(":")[0] for t in tensors} <= set(graph_of(tmp_path))


def test_an_unused_input_stays_and_an_unread_variable_goes(tmp_path):
    weights = module_cases.Weights()

    def call(x, mask):
        _ = x + weights.b  # computed, and never returned
        return {"y": x @ weights.w}

    signature = traced(call, spec("x", "float32", "n", 4), spec("mask", "bool", "n"))
    written = frozen_graph.export(traced_model(weights, signature), tmp_path, {})
    assert graph_of(tmp_path)["mask"].op == "Placeholder"
    assert dict(written.payloads) == {"w": "w"}
    assert written.unread == ("b",)
    (note,) = written.notes
    assert note.details == ("b",)


def test_what_tensorflow_leaves_where_it_cuts_a_loop_out_goes(tmp_path):
    """Placeholders that nothing reads, and more of them in one process than in the next."""
    case = module_cases.CASES["control_flow_of_tf1"]()
    library = case.model.signatures[0].function.graph.as_graph_def().library
    frozen_graph.export(case.model, tmp_path, {})
    written = graph_pb2.GraphDef.FromString((tmp_path / "tiny.pb").read_bytes()).library
    assert [bool(placeholders_of(functions)) for functions in (library, written)] == [True, False]


def placeholders_of(library) -> list[str]:
    return [n.name for f in library.function for n in f.node_def if n.op == "Placeholder"]


def test_a_model_called_saved_model_is_not_mistaken_for_one(tmp_path):
    weights = module_cases.Weights()
    signature = traced(lambda x: {"y": x @ weights.w}, spec("x", "float32", "n", 4))
    frozen_graph.export(traced_model(weights, signature, name="saved_model"), tmp_path, {})
    assert not (tmp_path / "saved_model.pb").exists()
    assert not tf.saved_model.contains_saved_model(str(tmp_path))
    frozen_graph.open_artifact(tmp_path, ())
