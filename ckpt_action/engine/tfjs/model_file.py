"""What an exported folder says, read back from its files alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2

from ckpt_action.engine.arrays import Array, numpy_dtype
from ckpt_action.errors import ExitCode, Where, fail
from ckpt_action.outcome import SignatureRecord, TensorRecord

MODEL = "model.json"
SIGNATURE_NAME = "signatureName"
"""Key in the metadata that TensorFlow.js leaves to the writer; its signature has no name."""


@dataclass(frozen=True, kw_only=True)
class Weight:
    name: str
    shape: tuple[int, ...]
    dtype: str
    quantization: Mapping[str, Any] | None
    value: Array
    """As it is stored."""


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    path: Path
    signature: SignatureRecord
    topology: Mapping[str, Any]
    """GraphDef in its JSON form."""
    filling: Mapping[str, Any]
    """The same of the graph that fills lookup tables; empty where there is none."""
    weights: Mapping[str, Weight]


def read_model(folder: Path) -> ModelFile:
    """Raises CkptActionError (VERIFY) where files are missing or do not fit each other."""
    path = folder / MODEL
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != "graph-model":
            raise ValueError(f"its format is {data['format']!r}")  # noqa: TRY301 - joins the rest
        weights = {w.name: w for group in data["weightsManifest"] for w in _group(group, path)}
        return ModelFile(
            path=path,
            signature=_signature(data["userDefinedMetadata"][SIGNATURE_NAME], data["signature"]),
            topology=data["modelTopology"],
            filling=data.get("modelInitializer", {}),
            weights=weights,
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise fail(
            ExitCode.VERIFY,
            f"{path.name} and its shards cannot be read: {error}",
            hint="Export the model again.",
            where=Where(file=str(path)),
        ) from error


def _group(group: Mapping[str, Any], path: Path) -> Iterator[Weight]:
    for name in group["paths"]:
        if Path(name).name != name:
            raise ValueError(f"{name} is not a file beside it")
    content = b"".join((path.parent / name).read_bytes() for name in group["paths"])
    start = 0
    for entry in group["weights"]:
        quantization = entry.get("quantization")
        dtype, shape = entry["dtype"], tuple(int(size) for size in entry["shape"])
        if dtype == "string":
            value, start = _strings(content, start, shape)
        else:
            kind = numpy_dtype((quantization or entry)["dtype"])
            end = start + kind.itemsize * int(np.prod(shape, dtype=np.int64))
            value = np.frombuffer(content[start:end], kind.newbyteorder("<")).reshape(shape)
            start = end
        yield Weight(
            name=entry["name"], shape=shape, dtype=dtype, quantization=quantization, value=value
        )
    if start != len(content):
        raise ValueError(f"the shards have {len(content)} bytes, and the weights {start}")


def _strings(content: bytes, start: int, shape: tuple[int, ...]) -> tuple[Array, int]:
    array = np.empty(int(np.prod(shape, dtype=np.int64)), dtype=object)
    for index in range(array.size):
        end = start + 4 + int.from_bytes(content[start : start + 4], "little")
        array[index] = content[start + 4 : end]
        start = end
    return array.reshape(shape), start


def _signature(name: str, data: Mapping[str, Any]) -> SignatureRecord:
    return SignatureRecord(
        name=name,
        inputs=tuple(_tensor(key, info) for key, info in data["inputs"].items()),
        outputs=tuple(_tensor(key, info) for key, info in data["outputs"].items()),
    )


def _tensor(name: str, info: Mapping[str, Any]) -> TensorRecord:
    shape = info["tensorShape"]
    sizes = [int(dimension["size"]) for dimension in shape.get("dim", ())]
    return TensorRecord(
        name=name,
        dtype=tf.as_dtype(types_pb2.DataType.Value(info["dtype"])).name,
        shape=None if shape.get("unknownRank") else tuple(s if s >= 0 else None for s in sizes),
        tensor=info["name"],
    )
