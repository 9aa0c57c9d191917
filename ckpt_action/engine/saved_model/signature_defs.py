"""What a written SavedModel declares, read from `saved_model.pb`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from ckpt_action.engine.prove.unreadable import finding
from ckpt_action.outcome import SignatureRecord, TensorRecord

_INTERNAL = "__saved_model_"
"""Prefix of the entries that TensorFlow adds for its loaders."""


def read_signatures(folder: Path) -> tuple[SignatureRecord, ...]:
    """Sorted by name, tensors too. Raises CkptActionError (VERIFY) where the file is unreadable."""
    path = folder / "saved_model.pb"
    with finding("read", path):
        model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
        (graph,) = model.meta_graphs
    return tuple(
        SignatureRecord(
            name=name, inputs=_tensors(definition.inputs), outputs=_tensors(definition.outputs)
        )
        for name, definition in sorted(graph.signature_def.items())
        if not name.startswith(_INTERNAL)
    )


def differences(
    declared: Iterable[SignatureRecord], written: Iterable[SignatureRecord]
) -> list[str]:
    """In words, where `written` is not what was declared; names of free dimensions aside."""
    wanted = {s.name: _plain(s) for s in declared}
    found = {s.name: _plain(s) for s in written}
    lines = [f"signature {name!r} is missing" for name in sorted(wanted.keys() - found.keys())]
    lines += [f"signature {name!r} is extra" for name in sorted(found.keys() - wanted.keys())]
    for name in sorted(wanted.keys() & found.keys()):
        for tensor in sorted(wanted[name].keys() | found[name].keys()):
            want, got = wanted[name].get(tensor), found[name].get(tensor)
            if want != got:
                lines.append(f"{name}: {' '.join(tensor)}: declared {want}, written {got}")
    return lines


def with_tensors(
    declared: Iterable[SignatureRecord], written: Iterable[SignatureRecord]
) -> tuple[SignatureRecord, ...]:
    """`declared`, in its order and with its dimension names, with the graph's tensor names."""
    graph = {s.name: s for s in written}

    def named(
        tensors: tuple[TensorRecord, ...], found: tuple[TensorRecord, ...]
    ) -> tuple[TensorRecord, ...]:
        names = {t.name: t.tensor for t in found}
        return tuple(replace(t, tensor=names[t.name]) for t in tensors)

    return tuple(
        replace(
            s,
            inputs=named(s.inputs, graph[s.name].inputs),
            outputs=named(s.outputs, graph[s.name].outputs),
        )
        for s in declared
    )


def _tensors(infos: Mapping[str, Any]) -> tuple[TensorRecord, ...]:
    return tuple(
        TensorRecord(
            name=name,
            dtype=tf.as_dtype(info.dtype).name,
            shape=None
            if info.tensor_shape.unknown_rank
            else tuple(None if d.size < 0 else d.size for d in info.tensor_shape.dim),
            tensor=info.name,
        )
        for name, info in sorted(infos.items())
    )


def _plain(signature: SignatureRecord) -> dict[tuple[str, str], str]:
    tensors = [("input", t) for t in signature.inputs] + [("output", t) for t in signature.outputs]
    return {(kind, t.name): f"{t.dtype} {_shape(t)}" for kind, t in tensors}


def _shape(tensor: TensorRecord) -> str:
    if tensor.shape is None:
        return "[...]"
    return "[" + ", ".join(str(d) if isinstance(d, int) else "?" for d in tensor.shape) + "]"
