"""The `tfjs` target: a frozen graph, prepared, as a graph model of TensorFlow.js."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.freeze import FrozenGraph, freeze
from ckpt_action.engine.max_error import ROUNDING, TFJS, max_error
from ckpt_action.engine.prepare import prepare
from ckpt_action.engine.records import TracedModel, Written
from ckpt_action.engine.tfjs.model_file import MODEL
from ckpt_action.engine.tfjs.model_json import write_model_json
from ckpt_action.engine.tfjs.quantise import Quantise, quantise_option, refuse_idle_patterns
from ckpt_action.engine.tfjs.refusals import narrowed, refuse_nodes, refuse_tables
from ckpt_action.engine.tfjs.tables import filling
from ckpt_action.engine.tfjs.topology import PASSES
from ckpt_action.engine.tfjs.weights import STORED, take_constants, write_shards
from ckpt_action.errors import CkptActionError, ExitCode, Problem, note
from ckpt_action.outcome import SignatureRecord


@dataclass(frozen=True, kw_only=True)
class _Ready:
    """One signature, ready to be written."""

    prefix: str
    """Of its files and of the names of its weights; empty where there is one signature."""
    signature: SignatureRecord
    graph: Any
    filling: Any
    """GraphDef that fills the lookup tables; without nodes where there are none."""
    values: Mapping[str, Array]
    contents: Mapping[str, Array]
    """Of the tables: keys and values."""
    stored: Mapping[str, str]
    """Weight to the path of the variable that it is."""
    unread: tuple[str, ...]
    notes: tuple[Problem, ...]


def write_tfjs(model: TracedModel, folder: Path, options: Mapping[str, object]) -> Written:
    """A graph model has one signature; several become a folder each.

    Raises CkptActionError (TARGET) with every reason why the format cannot hold the model.
    """
    ready = _all_ready(model)
    quantise = quantise_option(options)
    refuse_idle_patterns(quantise, [name for one in ready for name in one.values])
    payloads: dict[str, str] = {}
    for one in ready:
        payloads |= _write(one, folder, quantise)
    unread = tuple(path for path in ready[0].unread if all(path in one.unread for one in ready))
    held = {*payloads.values(), *unread}
    return Written(
        signatures=tuple(one.signature for one in ready),
        payloads=payloads,
        unread=unread,
        transformed=tuple(v.path for v in model.variables if v.path not in held),
        max_error=max_error(options, TFJS.get(quantise.dtype)),
        rounding=ROUNDING,
        unproven=dict(_unproven(payloads, quantise)),
        notes=tuple(dict.fromkeys(note for one in ready for note in one.notes)),
    )


def _all_ready(model: TracedModel) -> list[_Ready]:
    ready: list[_Ready] = []
    problems: dict[Problem, None] = {}
    for signature in model.signatures:
        prefix = f"{signature.declared.name}/" if len(model.signatures) > 1 else ""
        try:
            ready.append(_ready(replace(model, signatures=(signature,)), prefix))
        except CkptActionError as error:
            problems.update(dict.fromkeys(error.problems))
    if problems:
        raise CkptActionError(*problems)
    return ready


def _ready(model: TracedModel, prefix: str) -> _Ready:
    frozen = freeze(model, tables=True)
    prepared = prepare(frozen, PASSES)
    filled = filling(prepared.graph, frozen.tables)
    problems = (*refuse_nodes(prepared.graph), *refuse_tables(prepared.graph, filled))
    if problems:
        raise CkptActionError(*problems)
    notes = (*narrowed(prepared.graph), *_dropped(frozen), *_only_async(filled))
    (signature,) = frozen.signatures
    return _Ready(
        prefix=prefix,
        signature=signature,
        values=take_constants(prepared.graph),
        contents=take_constants(filled),
        graph=prepared.graph,
        filling=filled,
        stored=prepared.stored,
        unread=frozen.unread,
        notes=notes,
    )


def _write(one: _Ready, folder: Path, quantise: Quantise) -> dict[str, str]:
    """Write one graph model; returns weight to path of what is stored as it is."""
    place = folder / one.prefix
    place.mkdir(exist_ok=True)
    manifest, changed = write_shards(one.values, one.contents, quantise, place)
    write_model_json(place / MODEL, one.graph, one.filling, one.signature, manifest)
    changed |= {name for name, value in one.values.items() if value.dtype.name in STORED}
    return {one.prefix + name: path for name, path in one.stored.items() if name not in changed}


def _unproven(payloads: Mapping[str, str], quantise: Quantise) -> Iterator[tuple[str, str]]:
    if not payloads:
        how = "quantised" if quantise.dtype else "folded into others"
        yield "payload", f"every variable is {how}; the values answer for all of them"


def _dropped(frozen: FrozenGraph) -> Iterator[Problem]:
    bodies = [frozen.graph.node, *(f.node_def for f in frozen.graph.library.function)]
    count = sum(node.op == "Assert" for nodes in bodies for node in nodes)
    if count:
        yield note(
            ExitCode.OK,
            f"The TensorFlow.js model leaves out {count} assertions: bad values that the "
            "model would refuse are computed with.",
        )


def _only_async(filled: Any) -> Iterator[Problem]:
    if filled.node:
        yield note(
            ExitCode.OK,
            "TensorFlow.js looks things up in tables only in `model.executeAsync()`; "
            "`predict()` and `execute()` stop on them.",
        )
