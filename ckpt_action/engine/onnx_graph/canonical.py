"""An ONNX model in one form, whatever names and order the converter gave it this time.

Nodes stand in the order in which the outputs need them; values are named after the node that makes
them, initialisers after the model's variable that they hold. Equal computations give equal bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from onnx import ModelProto

from ckpt_action.engine.onnx_graph.copies import bodies, copied, replace_all, without_copies
from ckpt_action.engine.onnx_graph.loops import order_carried
from ckpt_action.engine.onnx_graph.order import needed

NameOf = Callable[[Any], str | None]
"""A TensorProto to the variable's path that it holds, or None."""


def canonical(model: Any, names: Mapping[str, str], name_of: NameOf, title: str) -> Any:
    """`model` with `names` (the converter's to the declared) for its inputs and outputs."""
    made = ModelProto()
    made.CopyFrom(model)
    made.doc_string = ""
    declared = [names[value.name] for value in made.graph.output]
    without_copies(made.graph)
    order_carried(made.graph, names)
    outputs = dict(zip((value.name for value in made.graph.output), declared, strict=True))
    inputs = {value.name: names[value.name] for value in made.graph.input}
    scope = _Scope(names=inputs, taken=Counter([*inputs.values(), *declared]))
    _settle(made.graph, scope, outputs, name_of)
    made.graph.name = title
    used = {node.domain for node in _all_nodes(made.graph)} | {""}
    versions = sorted((o.domain, o.version) for o in made.opset_import if o.domain in used)
    del made.opset_import[:]
    for domain, version in versions:
        made.opset_import.add(domain=domain, version=version)
    return made


@dataclass
class _Scope:
    """Names that are visible in a graph: its own and those of the graphs around it."""

    names: dict[str, str]
    taken: Counter[str] = field(default_factory=Counter)
    """Shared by all graphs of a model: no name is given twice."""

    def fresh(self, wanted: str) -> str:
        self.taken[wanted] += 1
        count = self.taken[wanted]
        return wanted if count == 1 else self.fresh(f"{wanted}_{count - 1}")


def _settle(graph: Any, scope: _Scope, outputs: Mapping[str, str], name_of: NameOf) -> None:
    """Order and name everything in `graph`; `outputs` have their names already."""
    nodes, initialisers = needed(graph)
    for tensor in initialisers:
        scope.names[tensor.name] = scope.fresh(name_of(tensor) or "constant")
    for node in nodes:
        for place, output in enumerate(node.output):
            if output:
                wanted = node.op_type if not place else f"{node.op_type}.{place}"
                scope.names[output] = outputs.get(output) or scope.fresh(wanted)
    for node in nodes:
        _rename(node, scope, name_of)
    for tensor in initialisers:
        tensor.name = scope.names[tensor.name]
        tensor.doc_string = ""
    for value in (*graph.input, *graph.output):
        value.name = outputs.get(value.name) or scope.names.get(value.name, value.name)
        value.doc_string = ""
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.HasField("dim_param"):  # numbered by the converter
                dimension.Clear()
    replace_all(graph.node, nodes)
    replace_all(graph.initializer, initialisers)
    del graph.value_info[:]
    graph.doc_string = ""


def _rename(node: Any, scope: _Scope, name_of: NameOf) -> None:
    node.input[:] = [scope.names.get(name, name) for name in node.input]
    node.output[:] = [scope.names.get(name, name) for name in node.output]
    node.name = next(name for name in node.output if name)
    node.doc_string = ""
    if not node.domain:
        node.ClearField("domain")
    attributes = sorted(map(copied, node.attribute), key=lambda a: str(a.name))
    for attribute in attributes:
        attribute.doc_string = ""
        if attribute.HasField("t"):
            attribute.t.name = attribute.t.doc_string = ""
        for body in bodies(attribute):
            inner = _Scope(names=dict(scope.names), taken=scope.taken)
            for value in body.input:
                inner.names[value.name] = scope.fresh(f"{node.op_type}.input")
            body.name = f"{node.name}.{attribute.name}"
            _settle(body, inner, {}, name_of)
    replace_all(node.attribute, attributes)


def _all_nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for body in bodies(attribute):
                yield from _all_nodes(body)
