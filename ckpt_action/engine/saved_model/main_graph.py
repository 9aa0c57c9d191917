"""The graph that sessions run: handles, constants, and a call for each signature."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2

from ckpt_action.engine.saved_model.content import Bound, Call, Content
from ckpt_action.engine.saved_model.graph_writer import (
    GraphWriter,
    function,
    shape_of,
    shapes_of,
    text,
    type_of,
    types_of,
)

_INITIALIZE = "__saved_model_init_op"
_CONFIG = config_pb2.ConfigProto(allow_soft_placement=True).SerializeToString()
"""What TensorFlow's own calls have: a device that the code names need not be there."""


def write_calls(graph: GraphWriter, content: Content, meta: Any) -> dict[Bound, str]:
    """Add the nodes, and the signatures to `meta`; the nodes of variables and constants."""
    names: dict[Bound, str] = {}
    for stored in content.variables:
        names[stored] = _handle(graph, stored.variable, "/".join(stored.place))
    for constant in content.constants:
        tensor = constant.tensor
        names[constant] = graph.constant("captured", tensor.numpy(), tensor.dtype)
    for call in content.calls:
        _write_call(graph, call, names, meta.signature_def[call.signature])
    _write_initializer(graph, meta)
    return names


def _handle(graph: GraphWriter, variable: Any, name: str) -> str:
    node = graph.add("VarHandleOp", name, dtype=type_of(variable), shape=shape_of(variable))
    graph.definition.node[-1].attr["shared_name"].CopyFrom(text(node))
    return node


def _write_call(graph: GraphWriter, call: Call, names: dict[Bound, str], signature: Any) -> None:
    signature.method_name = tf.saved_model.PREDICT_METHOD_NAME
    fed = []
    for name, tensor in call.inputs.items():
        attributes = {"dtype": type_of(tensor), "shape": shape_of(tensor)}
        fed.append(graph.add("Placeholder", f"{call.signature}_{name}", **attributes))
        signature.inputs[name].CopyFrom(_info(f"{fed[-1]}:0", tensor))
    outputs = call.outputs.values()
    op = "StatefulPartitionedCall" if call.stateful else "PartitionedCall"
    node = graph.add(
        op,
        op,
        [*fed, *(names[bound] for bound in call.bound)],
        f=function(call.function),
        Tin=types_of([*call.inputs.values(), *(bound.tensor for bound in call.bound)]),
        Tout=types_of(outputs),
        config_proto=text(_CONFIG),
        _output_shapes=shapes_of(outputs),
    )
    for index, (name, tensor) in enumerate(call.outputs.items()):
        signature.outputs[name].CopyFrom(_info(f"{node}:{index}", tensor))


def _write_initializer(graph: GraphWriter, meta: Any) -> None:
    """Loaders ask for one; there is nothing to do beside restoring."""
    node = graph.add("NoOp", "NoOp")
    meta.collection_def["saved_model_main_op"].node_list.value.append(node)
    output = meta.signature_def[_INITIALIZE].outputs[_INITIALIZE]
    output.name = node
    output.tensor_shape.unknown_rank = True


def _info(name: str, tensor: Any) -> Any:
    return meta_graph_pb2.TensorInfo(
        name=name, dtype=tensor.dtype.as_datatype_enum, tensor_shape=tensor.shape.as_proto()
    )
