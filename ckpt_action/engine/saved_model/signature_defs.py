"""What a written SavedModel declares, read from `saved_model.pb`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from ckpt_action.engine.unreadable import finding
from ckpt_action.outcome import SignatureRecord, TensorRecord

INTERNAL = "__saved_model_"
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
        if not name.startswith(INTERNAL)
    )


def differences(
    declared: Iterable[SignatureRecord], written: Iterable[SignatureRecord]
) -> list[str]:
    """In words, where `written` is not what was declared; names of free dimensions aside.

    An output's size may be known to one side alone: TensorFlow leaves open what comes out of
    `reshape(x, [tf.shape(x)[0], -1, 4])`, and knows of a lookup only once it traces it again what
    rank it has. Verification holds the values against what is written.
    """
    wanted = {s.name: _by_name(s) for s in declared}
    found = {s.name: _by_name(s) for s in written}
    lines = [f"signature {name!r} is missing" for name in sorted(wanted.keys() - found.keys())]
    lines += [f"signature {name!r} is extra" for name in sorted(found.keys() - wanted.keys())]
    for name in sorted(wanted.keys() & found.keys()):
        for tensor in sorted(wanted[name].keys() | found[name].keys()):
            want, got = wanted[name].get(tensor), found[name].get(tensor)
            if want and got and tensor[0] == "output":
                want, got = _as_open(want, got), _as_open(got, want)
            if _plain(want) != _plain(got):
                text = f"declared {_plain(want)}, written {_plain(got)}"
                lines.append(f"{name}: {' '.join(tensor)}: {text}")
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


def _by_name(signature: SignatureRecord) -> dict[tuple[str, str], TensorRecord]:
    tensors = [("input", t) for t in signature.inputs] + [("output", t) for t in signature.outputs]
    return {(kind, t.name): t for kind, t in tensors}


def _as_open(known: TensorRecord, other: TensorRecord) -> TensorRecord:
    """`known` without the sizes that `other` leaves open."""
    if other.shape is None:
        return replace(known, shape=None)
    if known.shape is None or len(known.shape) != len(other.shape):
        return known
    sizes = zip(known.shape, other.shape, strict=True)
    return replace(known, shape=tuple(k if isinstance(o, int) else None for k, o in sizes))


def _plain(tensor: TensorRecord | None) -> str:
    return f"{tensor.dtype} {_shape(tensor)}" if tensor else "None"


def _shape(tensor: TensorRecord) -> str:
    if tensor.shape is None:
        return "[...]"
    return "[" + ", ".join(str(d) if isinstance(d, int) else "?" for d in tensor.shape) + "]"
