"""Constants out of the graph and into shards, with the manifest that says where each one lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.freeze.graph import producer
from ckpt_action.engine.prepare.editor import value_of
from ckpt_action.engine.tfjs.quantise import Quantise, quantised

SHARD = 4 << 20
"""Bytes that a browser fetches and caches at once."""
STORED = {"int64": "int32", "int8": "int32", "uint8": "int32"}
"""Dtypes that have no form of their own in a manifest."""


def take_constants(graph: Any) -> dict[str, Array]:
    """Empty every Const of `graph`, in place, and return the values by name.

    One manifest serves all bodies, so a function's constants get the function's name before theirs.
    """
    values: dict[str, Array] = {}
    for function in graph.library.function:
        _prefix_constants(function)
    for nodes in [graph.node, *(f.node_def for f in graph.library.function)]:
        for node in nodes:
            if node.op == "Const":
                assert node.name not in values, node.name
                values[node.name] = value_of(node)
                tensor = node.attr["value"].tensor
                dtype, shape = tensor.dtype, tensor.tensor_shape.SerializeToString()
                tensor.Clear()
                tensor.dtype = dtype
                tensor.tensor_shape.ParseFromString(shape)
    return values


def _prefix_constants(function: Any) -> None:
    prefix = function.signature.name
    names = {n.name: f"{prefix}/{n.name}" for n in function.node_def if n.op == "Const"}
    for node in function.node_def:
        node.name = names.get(node.name, node.name)
        node.input[:] = [_renamed(reference, names) for reference in node.input]
    for key in list(function.ret):
        function.ret[key] = _renamed(function.ret[key], names)


def _renamed(reference: str, names: Mapping[str, str]) -> str:
    name = producer(reference)
    return names.get(name, name) + reference.removeprefix(name)


def write_shards(
    values: Mapping[str, Array], exact: Mapping[str, Array], quantise: Quantise, folder: Path
) -> tuple[list[dict[str, Any]], set[str]]:
    """The weights manifest, and the names of the `values` that were quantised; what is `exact`
    never is."""
    entries: list[dict[str, Any]] = []
    pieces: list[bytes] = []
    changed: set[str] = set()
    for name, value in {**values, **exact}.items():
        entry: dict[str, Any] = {"name": name, "shape": list(value.shape)}
        stored, narrow = _plain(value), None
        entry["dtype"] = "string" if stored.dtype.hasobject else stored.dtype.name
        if quantise.dtype and name in values and quantise.takes(name):
            narrow = quantised(stored, quantise.dtype)
        if narrow is not None:
            stored, entry["quantization"] = narrow
            changed.add(name)
        entries.append(entry)
        pieces.append(_packed(stored))
    return [{"paths": _write(pieces, folder), "weights": entries}], changed


def _plain(value: Array) -> Array:
    return value.astype(STORED[value.dtype.name]) if value.dtype.name in STORED else value


def _packed(stored: Array) -> bytes:
    if stored.dtype.hasobject:  # each string after its length
        return b"".join(len(s).to_bytes(4, "little") + s for s in stored.reshape(-1).tolist())
    return np.ascontiguousarray(stored).astype(stored.dtype.newbyteorder("<")).tobytes()


def _write(pieces: list[bytes], folder: Path) -> list[str]:
    count = -(-sum(map(len, pieces)) // SHARD)
    names = [f"group1-shard{number}of{count}.bin" for number in range(1, count + 1)]
    for name, content in zip(names, _shards(pieces), strict=True):
        (folder / name).write_bytes(content)
    return names


def _shards(pieces: list[bytes]) -> Iterator[bytes]:
    gathered = bytearray()
    for piece in pieces:
        start = 0
        while len(gathered) + len(piece) - start >= SHARD:
            end = start + SHARD - len(gathered)
            yield bytes(gathered) + piece[start:end]
            gathered.clear()
            start = end
        gathered += piece[start:]
    if gathered:
        yield bytes(gathered)
