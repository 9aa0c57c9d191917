"""Variables to constants: ops that read a handle become ops that read a value.

The constants carry type and shape only; their payload never enters a protocol buffer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tensorflow.core.framework import attr_value_pb2, node_def_pb2, tensor_shape_pb2, types_pb2

from ckpt_action.engine.freeze.graph import Body
from ckpt_action.engine.freeze.handles import CALLS, THROUGH, HandleFlow, Use, functions_of

_FRAMED = ("Enter", "RefEnter")


def place_constant(node: Any, dtype: int, shape: Any) -> None:
    """Turn `node` into a Const without payload."""
    name = node.name
    node.Clear()
    node.name, node.op = name, "Const"
    node.attr["dtype"].type = dtype
    node.attr["value"].tensor.dtype = dtype
    node.attr["value"].tensor.tensor_shape.CopyFrom(shape)


def convert(flow: HandleFlow) -> None:
    """Rewrite every user of a handle that `flow` found; each must be convertible."""
    uses = flow.uses()
    for use in uses:
        _hand_on(flow, use)
        rewrite = _READERS.get(use.node.op)
        if rewrite is not None:
            rewrite(flow.bodies[use.body], use)
    for (name, reference), held in flow.held.items():
        body = flow.bodies[name]
        if body.function is not None:
            _retype(body.function, reference, held.dtype)


def unconvertible(flow: HandleFlow) -> list[Use]:
    """Uses of a handle that have no form without variables."""
    known = {"IdentityN", "_SwitchN", *THROUGH, *CALLS, *_READERS}
    return [use for use in flow.uses() if use.node.op not in known]


def _hand_on(flow: HandleFlow, use: Use) -> None:
    node, index, held = use.node, use.index, use.held
    call = CALLS.get(node.op)
    if call is not None:
        node.attr[call.types].list.type[index - call.skip] = held.dtype
        if call.returns:
            _retype_results(flow, use.body, node)
        elif node.attr["output_shapes"].list.shape:
            node.attr["output_shapes"].list.shape[index].CopyFrom(held.shape)
        if not call.returns:
            body = flow.bodies.functions[functions_of(node, call)[0]]
            body.signature.output_arg[index].type = held.dtype
            body.signature.output_arg[index].ClearField("handle_data")
    elif node.op == "IdentityN":
        node.attr["T"].list.type[index] = held.dtype
    elif node.op == "_SwitchN" or node.op in THROUGH:
        node.attr["T"].type = held.dtype
    else:
        return
    node.attr.pop("_output_shapes", None)


def _retype_results(flow: HandleFlow, body: str, node: Any) -> None:
    """A call whose function returns a handle now returns the value."""
    for port in range(len(node.attr["Tout"].list.type)):
        held = flow.held.get((body, flow.bodies[body].output(node, port)))
        if held is not None:
            node.attr["Tout"].list.type[port] = held.dtype


def _retype(function: Any, reference: str, dtype: int) -> None:
    for index, argument in enumerate(function.signature.input_arg):
        if argument.name == reference:
            argument.type = dtype
            argument.ClearField("handle_data")
            function.arg_attr.pop(index, None)
            function.resource_arg_unique_id.pop(index, None)
            shapes = function.attr["_input_shapes"].list.shape
            if index < len(shapes):
                shapes[index].CopyFrom(tensor_shape_pb2.TensorShapeProto(unknown_rank=True))
    for result in function.signature.output_arg:
        if function.ret[result.name] == reference:
            result.type = dtype
            result.ClearField("handle_data")


def _read(body: Body, use: Use) -> None:
    _replace(use.node, "Identity", [use.node.input[0]], T=use.held.dtype)
    if body.function is not None:
        _rename_output(body, use.node, "value", "output")


def _shape(_body: Body, use: Use) -> None:
    out_type = use.node.attr["out_type"].type or types_pb2.DT_INT32
    _replace(use.node, "Shape", [use.node.input[0]], T=use.held.dtype, out_type=out_type)


def _gather_nd(_body: Body, use: Use) -> None:
    indices = use.node.attr["Tindices"].type
    _replace(
        use.node, "GatherNd", list(use.node.input[:2]), Tparams=use.held.dtype, Tindices=indices
    )


def _gather(body: Body, use: Use) -> None:
    node = use.node
    indices, batch_dims = node.attr["Tindices"].type, node.attr["batch_dims"].i
    axis = body.nodes.add()
    axis.name = _unused(body, f"{node.name}/axis")
    body.by_name[axis.name] = axis
    place_constant(axis, indices, tensor_shape_pb2.TensorShapeProto())
    field = "int_val" if indices == types_pb2.DT_INT32 else "int64_val"
    getattr(axis.attr["value"].tensor, field).append(batch_dims)
    if any(other.op in _FRAMED for other in body.nodes):
        # A constant belongs to no loop by itself: tie it to the frame of its reader.
        axis.input.append("^" + node.input[1].lstrip("^").split(":")[0])
    reference = axis.name if body.function is None else f"{axis.name}:output:0"
    _replace(
        node, "GatherV2", [*node.input[:2], reference],
        Tparams=use.held.dtype, Tindices=indices, Taxis=indices,
    )  # fmt: skip
    node.attr["batch_dims"].i = batch_dims


_READERS: Mapping[str, Callable[[Body, Use], None]] = {
    "ReadVariableOp": _read,
    "ResourceGather": _gather,
    "ResourceGatherNd": _gather_nd,
    "VariableShape": _shape,
}


def _replace(node: Any, op: str, inputs: list[str], **types: int) -> None:
    control = [reference for reference in node.input if reference.startswith("^")]
    attrs = {key: attr_value_pb2.AttrValue(type=value) for key, value in types.items()}
    made = node_def_pb2.NodeDef(name=node.name, op=op, input=inputs + control, attr=attrs)
    node.CopyFrom(made)


def _rename_output(body: Body, node: Any, old: str, new: str) -> None:
    """Function bodies name an op's outputs, and the new op calls its output otherwise."""
    before, after = f"{node.name}:{old}:0", f"{node.name}:{new}:0"
    for reader, index in body.readers(before):
        reader.input[index] = after
    assert body.function is not None
    for result, reference in list(body.function.ret.items()):
        if reference == before:
            body.function.ret[result] = after


def _unused(body: Body, name: str) -> str:
    while name in body.by_name:
        name += "_"
    return name
