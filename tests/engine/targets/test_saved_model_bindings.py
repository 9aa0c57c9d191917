"""Files that bind functions to other variables, inputs or outputs than they were traced with."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import tensorflow as tf
from handmade import spec, traced, traced_model
from module_cases import Weights
from tensorflow.core.protobuf import saved_model_pb2

from ckpt_action.engine.records import TracedModel
from ckpt_action.engine.saved_model import bindings, direct
from ckpt_action.engine.saved_model.artifact import bundle_of
from ckpt_action.engine.targets import saved_model
from ckpt_action.errors import CkptActionError, ExitCode

X = spec("x", "float32", "n", 4)


def two_of_a_kind() -> TracedModel:
    m = Weights()
    m.c, m.d = tf.constant([1.0, 2, 3, 4]), tf.constant([4.0, 3, 2, 1])
    m.u = tf.Variable(m.w * 2, name="u")
    second = spec("z", "float32", "n", 4)

    def call(x, z):
        return {"one": x @ m.w * m.c, "two": z @ m.u * m.d}

    def swapped(x, z):
        return {"one": x @ m.u * m.d, "two": z @ m.w * m.c}

    return traced_model(m, traced(call, X, second), traced(swapped, X, second, name="swapped"))


def swap(items: Any, one: int, other: int) -> None:
    items[one], items[other] = items[other], items[one]


def node(meta: Any, op: str, number: int = 0) -> Any:
    return [n for n in meta.graph_def.node if n.op == op][number]


def bare(meta: Any, number: int = 0) -> Any:
    found = [n for n in meta.object_graph_def.nodes if n.HasField("bare_concrete_function")]
    return found[number].bare_concrete_function


def function(meta: Any) -> Any:
    return meta.object_graph_def.concrete_functions[bare(meta).concrete_function_name]


def swap_places(meta: Any) -> None:
    (folder,) = (
        n for n in meta.object_graph_def.nodes if {c.local_name for c in n.children} == {"u", "w"}
    )
    folder.children[0].local_name, folder.children[1].local_name = (
        folder.children[1].local_name, folder.children[0].local_name,
    )  # fmt: skip


def swap_outputs(meta: Any) -> None:
    outputs = meta.signature_def["serving_default"].outputs
    outputs["one"].name, outputs["two"].name = outputs["two"].name, outputs["one"].name


def change_constant(meta: Any) -> None:
    content = node(meta, "Const").attr["value"].tensor
    content.tensor_content = bytes(reversed(content.tensor_content))


def other_function(meta: Any) -> None:
    bare(meta, 0).concrete_function_name = bare(meta, 1).concrete_function_name


def call_other_function(meta: Any) -> None:
    one, other = (node(meta, "StatefulPartitionedCall", i).attr["f"].func for i in (0, 1))
    one.name = other.name


def share_a_handle(meta: Any) -> None:
    one, other = (node(meta, "VarHandleOp", i).attr["shared_name"] for i in (0, 1))
    one.s = other.s


def restore_in_another_order(meta: Any) -> None:
    (keys,) = (n for n in meta.graph_def.node if n.name == "save/restore_keys")
    swap(keys.attr["value"].tensor.string_val, 0, 1)


def restore_less(meta: Any) -> None:
    (last,) = (n for n in meta.graph_def.node if n.name == meta.saver_def.restore_op_name)
    del last.input[0]


def restore_into_another(meta: Any) -> None:
    one, other = (node(meta, "AssignVariableOp", i) for i in (0, 1))
    one.input[0], other.input[0] = other.input[0], one.input[0]


TAMPERED: dict[str, tuple[Callable[[Any], None], str]] = {
    "objects: captures": (lambda m: swap(function(m).bound_inputs, 0, 2), "objects of s.*captures"),
    "objects: places": (swap_places, "objects of s.*captures"),
    "objects: inputs": (lambda m: swap(bare(m).argument_keywords, 0, 1), "objects of s.*inputs"),
    "objects: function": (other_function, "objects of s.*function"),
    "nodes: captures": (
        lambda m: swap(node(m, "StatefulPartitionedCall").input, 2, 4), "nodes of s.*captures",
    ),
    "nodes: inputs": (
        lambda m: swap(node(m, "StatefulPartitionedCall").input, 0, 1), "nodes of s.*inputs",
    ),
    "nodes: outputs": (swap_outputs, "nodes of s.*outputs"),
    "nodes: function": (call_other_function, "nodes of s.*function"),
    "nodes: shared handle": (share_a_handle, "nodes of s.*captures"),
    "nodes: keys": (restore_in_another_order, "nodes of s.*captures"),
    "nodes: not restored": (restore_less, "nodes of s.*captures"),
    "nodes: restored into": (restore_into_another, "nodes of s.*captures"),
    "both: constant": (change_constant, "nodes of s.*captures"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERED)
def test_what_is_bound_otherwise_is_seen(name, tmp_path):
    tamper, line = TAMPERED[name]
    model = two_of_a_kind()
    payloads = dict(saved_model.export(model, tmp_path, {}).payloads)
    bundle = bundle_of(tmp_path)
    bindings.check_bindings(model, tmp_path, bundle, payloads)
    file = tmp_path / "saved_model.pb"
    content = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    tamper(content.meta_graphs[0])
    file.write_bytes(content.SerializeToString())
    with pytest.raises(CkptActionError, match="binds its functions otherwise") as caught:
        bindings.check_bindings(model, tmp_path, bundle, payloads)
    (problem,) = caught.value.problems
    assert problem.code is ExitCode.TARGET
    assert any(re.search(line, detail) for detail in problem.details), problem.details


def test_a_writer_that_restores_into_other_variables_fails(monkeypatch, tmp_path):
    """Only sessions would notice: the loader of Python does not run these nodes."""
    original = direct.write_saver

    def wrong(graph, content, names, tracked):
        one, other = content.variables[:2]
        return original(graph, content, {**names, one: names[other], other: names[one]}, tracked)

    monkeypatch.setattr(direct, "write_saver", wrong)
    with pytest.raises(CkptActionError, match="binds its functions otherwise"):
        saved_model.export(two_of_a_kind(), tmp_path, {})


def test_a_value_that_is_not_written_fails(monkeypatch, tmp_path):
    original = direct._write_values

    def less(content, *rest):
        original(replace(content, variables=content.variables[1:]), *rest)

    monkeypatch.setattr(direct, "_write_values", less)
    with pytest.raises(CkptActionError, match="0 values too many, and 1 are missing") as caught:
        saved_model.export(two_of_a_kind(), tmp_path, {})
    assert any(line.startswith("missing: model/") for line in caught.value.problems[0].details)
