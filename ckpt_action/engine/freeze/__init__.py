"""Traced signatures to one frozen GraphDef, without a copy of the weights.

The graph is inlined while its weights are still outside; handles of variables become constants
that have a type and a shape; their payloads go from the variables' buffers to the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ckpt_action.engine.freeze import stock
from ckpt_action.engine.freeze.interface import Known
from ckpt_action.engine.freeze.join import join
from ckpt_action.engine.freeze.part import Part, make_part
from ckpt_action.engine.freeze.size import refuse_size, size_of
from ckpt_action.engine.freeze.stream import write_graph
from ckpt_action.engine.freeze.tables import telling_tables
from ckpt_action.engine.records import ModelVariable, TracedModel
from ckpt_action.errors import CkptActionError, ExitCode, Problem, note
from ckpt_action.outcome import SignatureRecord


@dataclass(frozen=True, kw_only=True)
class FrozenGraph:
    graph: Any
    """GraphDef; the Const nodes named in `values` have type and shape but no payload."""
    values: Mapping[str, Any]
    """Const node to the variable or captured tensor that it takes its payload from."""
    weights: Mapping[str, str]
    """Const node to the path of the model's variable."""
    unread: tuple[str, ...]
    """Paths of captured variables that no output depends on: the graph has no node for them."""
    signatures: tuple[SignatureRecord, ...]
    """With the tensors' names in this graph."""
    notes: tuple[Problem, ...] = ()
    tables: Mapping[str, Any] = field(default_factory=dict)
    """Node of op HashTableV2 to the lookup table that it stands for."""


def freeze(
    model: TracedModel, *, lower_control_flow: bool = False, tables: bool = False
) -> FrozenGraph:
    """Freeze all signatures of `model` into one graph; with `tables`, its lookup tables stay, and
    whoever writes the graph writes what they hold beside it.

    Raises CkptActionError (TARGET) with every reason why a GraphDef cannot hold the model.
    """
    by_handle = {id(v.variable.handle): v for v in model.variables}
    kept = telling_tables(model.resources) if tables else {}
    known = Known(variables=by_handle, tables=kept)
    parts: list[Part] = []
    problems: dict[Problem, None] = {}
    for signature in model.signatures:
        try:
            parts.append(make_part(signature, known, lower_control_flow=lower_control_flow))
        except CkptActionError as error:
            problems.update(dict.fromkeys(error.problems))
    if problems:
        raise CkptActionError(*problems)
    versions = model.signatures[0].function.graph.as_graph_def().versions
    joined = join(parts, model.variables, versions)
    variables = {k: v for k, v in joined.values.items() if isinstance(v, ModelVariable)}
    stored = {id(v) for v in variables.values()}
    found = {k: v for k, v in joined.values.items() if any(v is table for table in kept.values())}
    unread = tuple(v.path for v in model.variables if id(v) not in stored)
    frozen = FrozenGraph(
        graph=joined.graph,
        values={k: _value(v) for k, v in joined.values.items() if k not in found},
        weights={name: v.path for name, v in variables.items()},
        unread=unread,
        signatures=joined.signatures,
        notes=tuple(_notes(parts, joined.graph, unread)),
        tables=found,
    )
    refuse_size(size_of(frozen.graph, frozen.values))
    return frozen


def write(frozen: FrozenGraph, path: Path) -> None:
    """Write the graph as one GraphDef file; `path` must not exist."""
    write_graph(path, frozen.graph, frozen.values)


def _value(held: Any) -> Any:
    return held.variable if isinstance(held, ModelVariable) else held


def _notes(parts: list[Part], graph: Any, unread: tuple[str, ...]) -> list[Problem]:
    notes = [stock.NOTE] if any(part.by_stock for part in parts) else []
    if unread:
        notes.append(
            note(
                ExitCode.OK,
                f"The frozen graph leaves out {len(unread)} variables that the signatures "
                "touch but no output depends on.",
                details=unread,
            )
        )
    bodies = [graph.node, *(f.node_def for f in graph.library.function)]
    calls = sum(node.op.endswith("PartitionedCall") for nodes in bodies for node in nodes)
    if calls:
        notes.append(
            note(
                ExitCode.OK,
                f"{calls} function calls could not be inlined into the frozen graph; "
                "TensorFlow runs them, but OpenCV and other readers without functions do not.",
            )
        )
    return notes
