"""The signatures' graphs in one GraphDef: declared names for inputs, outputs and weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tensorflow.core.framework import attr_value_pb2, graph_pb2, node_def_pb2

from ckpt_action.engine.freeze.part import OUTPUT, Part
from ckpt_action.engine.records import ModelVariable
from ckpt_action.outcome import SignatureRecord, TensorRecord

_ILLEGAL = re.compile(r"[^A-Za-z0-9_.\\/>-]")


@dataclass(frozen=True, kw_only=True)
class Joined:
    graph: Any
    """GraphDef; the Const nodes named in `values` have no payload."""
    values: Mapping[str, Any]
    """Const node to the ModelVariable or the captured tensor whose value it takes."""
    signatures: tuple[SignatureRecord, ...]


class _Names:
    """Gives every node a legal name that no other has; first come, first served."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        base = _ILLEGAL.sub("_", wanted).lstrip("_\\/>-") or "node"
        name, count = base, 0
        while name in self._taken:
            count += 1
            name = f"{base}_{count}"
        self._taken.add(name)
        return name


def join(parts: Sequence[Part], variables: Iterable[ModelVariable], versions: Any) -> Joined:
    """One graph; a value that several signatures read is stored once.

    With several signatures, all names but the weights' start with `<signature>/`.
    """
    prefixes = [f"{p.signature.declared.name}/" if len(parts) > 1 else "" for p in parts]
    names = _Names()
    renamed = [_declared(part, prefix, names) for part, prefix in zip(parts, prefixes, strict=True)]
    stored = _weights(parts, variables, names)
    graph = graph_pb2.GraphDef(versions=versions)
    values: dict[str, Any] = {}
    functions: dict[str, Any] = {}
    for part, prefix, new in zip(parts, prefixes, renamed, strict=True):
        for node in part.nodes:
            value = part.values.get(node.name)
            if value is not None:
                new[node.name] = stored.get(id(value)) or names.take(prefix + node.name)
                stored[id(value)] = new[node.name]
            elif node.name not in new:
                new[node.name] = names.take(prefix + node.name)
        for node in part.nodes:
            name = new[node.name]
            if name in values:
                continue
            if node.name in part.values:
                values[name] = part.values[node.name]
            graph.node.append(_renamed(node, new, prefix))
        functions.update({f.signature.name: f for f in part.functions})
    _plain_inputs(graph, parts, renamed)
    graph.library.function.extend(functions[name] for name in sorted(functions))
    signatures = tuple(_record(part, new) for part, new in zip(parts, renamed, strict=True))
    return Joined(graph=graph, values=values, signatures=signatures)


def _declared(part: Part, prefix: str, names: _Names) -> dict[str, str]:
    inputs = {t.op.name: names.take(prefix + name) for name, t in part.interface.inputs.items()}
    outputs = {OUTPUT + name: names.take(prefix + name) for name in part.interface.outputs}
    return inputs | outputs


def _weights(
    parts: Iterable[Part], variables: Iterable[ModelVariable], names: _Names
) -> dict[int, str]:
    """Identity of each variable that is stored to the name of its Const: the variable's path."""
    read = {id(value) for part in parts for value in part.values.values()}
    return {id(v): names.take(v.path) for v in variables if id(v) in read}


def _renamed(node: Any, new: Mapping[str, str], prefix: str) -> Any:
    made = node_def_pb2.NodeDef()
    made.CopyFrom(node)
    made.name = new[node.name]
    made.input[:] = [_reference(reference, new) for reference in node.input]
    if "frame_name" in made.attr:  # loops of two signatures must not share a frame
        made.attr["frame_name"].s = prefix.encode() + made.attr["frame_name"].s
    return made


def _reference(reference: str, new: Mapping[str, str]) -> str:
    control = "^" if reference.startswith("^") else ""
    name, colon, port = reference.removeprefix("^").partition(":")
    return control + new[name] + colon + port


def _plain_inputs(graph: Any, parts: Iterable[Part], renamed: Iterable[Mapping[str, str]]) -> None:
    by_name = {node.name: node for node in graph.node}
    for part, new in zip(parts, renamed, strict=True):
        for tensor in part.interface.inputs.values():
            node = by_name[new[tensor.op.name]]
            node.attr.clear()
            node.attr["dtype"].type = tensor.dtype.as_datatype_enum
            node.attr["shape"].CopyFrom(attr_value_pb2.AttrValue(shape=tensor.shape.as_proto()))


def _record(part: Part, new: Mapping[str, str]) -> SignatureRecord:
    record = part.signature.record
    fed = {name: new[tensor.op.name] for name, tensor in part.interface.inputs.items()}
    return replace(
        record,
        inputs=tuple(_tensor(t, fed[t.name]) for t in record.inputs),
        outputs=tuple(_tensor(t, new[OUTPUT + t.name]) for t in record.outputs),
    )


def _tensor(tensor: TensorRecord, node: str) -> TensorRecord:
    return replace(tensor, tensor=f"{node}:0")
