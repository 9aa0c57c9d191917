"""The part of a TF1 graph that one signature needs, made fit to be imported elsewhere."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from ckpt_action.config.records import Signature
from ckpt_action.engine import internals
from ckpt_action.engine.metagraph.unfed import dtype_of, node_of, refusal, unfed
from ckpt_action.errors import CkptActionError, ExitCode, Problem, raise_errors

VARIABLES = frozenset({"Variable", "VariableV2", "AutoReloadVariable", "VarHandleOp"})
TABLES = frozenset({"HashTable", "HashTableV2"})

_UNREFERENCED = {
    "RefEnter": "Enter",
    "RefExit": "Exit",
    "RefIdentity": "Identity",
    "RefMerge": "Merge",
    "RefNextIteration": "NextIteration",
    "RefSwitch": "Switch",
}
"""Ops on references to variables, and those that do the same on the variable's value."""


@dataclass(frozen=True, kw_only=True)
class Pruned:
    graph: Any
    """GraphDef without the nodes that are fed."""
    producer_ops: Any
    inputs: Mapping[str, str]
    """Declared name to tensor name; `outputs` alike."""
    outputs: Mapping[str, str]
    constants: Mapping[str, tuple[Any, Any]]
    """Tensor name to (value, dtype)."""
    variables: Mapping[str, bool]
    """Node name to whether its consumers take the resource handle (else the value)."""
    tables: tuple[str, ...]
    definitions: Mapping[str, Any]
    notes: tuple[Problem, ...]


def prune(meta: Any, signature: Signature) -> Pruned:
    """What `signature` needs of `meta`; raises CkptActionError with every problem found."""
    nodes = {node.name: node for node in meta.graph_def.node}
    problems = list(_unknown_tensors(signature, nodes))
    if problems:
        raise CkptActionError(*problems)
    inputs = {spec.name: _tensor(spec.tensor) for spec in signature.inputs}
    outputs = {spec.name: _tensor(spec.tensor) for spec in signature.outputs}
    fed = {*inputs.values(), *map(_tensor, signature.constants)}
    needed = _reach(nodes, outputs.values(), fed)
    problems += _wrong_dtypes(signature, nodes)
    problems += unfed(signature, needed, nodes)
    problems += _writes(signature, needed)
    problems += _unknown_ops(meta, needed)
    raise_errors(problems)
    cut = {name for name, node in needed.items() if node.op in VARIABLES | TABLES}
    return Pruned(
        graph=_portable(meta.graph_def, needed, cut),
        producer_ops=meta.meta_info_def.stripped_op_list,
        inputs=inputs,
        outputs=outputs,
        constants={
            _tensor(name): (value, dtype_of(nodes[node_of(name)]))
            for name, value in signature.constants.items()
        },
        variables={
            n: nodes[n].op == "VarHandleOp" for n in sorted(cut) if nodes[n].op in VARIABLES
        },
        tables=tuple(n for n in sorted(cut) if nodes[n].op in TABLES),
        definitions={name: nodes[name] for name in cut},
        notes=tuple(problems),
    )


def _tensor(name: str | None) -> str:
    return f"{name}:0" if name and ":" not in name else str(name)


def _reach(nodes: Mapping[str, Any], outputs: Any, fed: set[str]) -> dict[str, Any]:
    """Nodes that the outputs depend on, those behind fed tensors left out."""
    needed: dict[str, Any] = {}
    fed_nodes = {node_of(name) for name in fed}
    queue = [node_of(name) for name in outputs if name not in fed]
    while queue:
        name = queue.pop()
        if name in needed or name not in nodes:
            continue
        needed[name] = nodes[name]
        for reference in nodes[name].input:
            if reference.startswith("^"):
                if node_of(reference) not in fed_nodes:
                    queue.append(node_of(reference))
            elif _tensor(reference) not in fed:
                queue.append(node_of(reference))
    return needed


def _portable(graph: Any, needed: Mapping[str, Any], cut: set[str]) -> Any:
    """A GraphDef of the needed nodes without devices, colocation, references and fed nodes."""
    kept = tf.compat.v1.GraphDef()
    kept.versions.CopyFrom(graph.versions)
    kept.library.CopyFrom(graph.library)
    present = set(needed) - cut
    for node in graph.node:
        if node.name not in present:
            continue
        copy = kept.node.add()
        copy.CopyFrom(node)
        copy.device = ""
        copy.attr.pop("_class", None)
        copy.op = _UNREFERENCED.get(node.op, node.op)
        del copy.input[:]
        copy.input.extend(i for i in node.input if not i.startswith("^") or node_of(i) in present)
    for function in kept.library.function:
        for node in function.node_def:
            node.device = ""
    return kept


def _unknown_tensors(signature: Signature, nodes: Mapping[str, Any]) -> Iterator[Problem]:
    named: list[tuple[str, str | None]] = [
        *((f"inputs.{spec.name}", spec.tensor) for spec in signature.inputs),
        *((f"outputs.{spec.name}", spec.tensor) for spec in signature.outputs),
        *((f"constants.{name}", name) for name in signature.constants),
    ]
    if not signature.outputs:
        yield refusal(signature, "declares no outputs.", 'outputs = { y = "tensor:0" }')
    for key, tensor in named:
        if tensor is None:
            yield refusal(
                signature,
                f"{key} does not name a tensor of the graph.",
                f'{key.split(".")[0]} = {{ {key.split(".")[1]} = … "tensor:0" … }}',
            )
        elif node_of(tensor) not in nodes:
            near = difflib.get_close_matches(node_of(tensor), list(nodes), n=3)
            yield refusal(
                signature,
                f"{key}: the graph has no tensor {tensor}.",
                f"Did you mean {' or '.join(f'{name}:0' for name in near)}?" if near else "",
            )


def _wrong_dtypes(signature: Signature, nodes: Mapping[str, Any]) -> Iterator[Problem]:
    for spec in signature.inputs:
        node = nodes[node_of(str(spec.tensor))]
        if node.op.startswith("Placeholder") and dtype_of(node) != tf.as_dtype(spec.dtype):
            yield refusal(
                signature,
                f"inputs.{spec.name} is declared {spec.dtype}; the graph's {spec.tensor} is "
                f"{dtype_of(node).name}.",
                f'dtype = "{dtype_of(node).name}"',
            )


def _writes(signature: Signature, needed: Mapping[str, Any]) -> Iterator[Problem]:
    for node in needed.values():
        sources = [needed[node_of(i)].op for i in node.input[:1] if node_of(i) in needed]
        if node.op.startswith(("Assign", "Scatter", "Apply", "CountUpTo", "Resource")) and (
            VARIABLES.intersection(sources) and node.op != "ResourceGather"
        ):
            yield refusal(
                signature,
                f"its outputs change the variable {node_of(node.input[0])} ({node.name}: "
                f"{node.op}).",
                "Name output tensors from before the update.",
            )


def _unknown_ops(meta: Any, needed: Mapping[str, Any]) -> Iterator[Problem]:
    functions = {function.signature.name for function in meta.graph_def.library.function}
    used = {node.op for node in needed.values()} - functions
    unknown = sorted(op for op in used if internals.op_definition(op) is None)
    if unknown:
        yield Problem(
            code=ExitCode.ENVIRONMENT,
            message=f"the graph uses ops that TensorFlow {tf.__version__} does not have: "
            f"{', '.join(unknown)}.",
            hint="Name the libraries that bring them in `op-libraries`.",
        )
