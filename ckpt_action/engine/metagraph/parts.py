"""Partitioned variables of a TF1 graph: each is a part of one value that the checkpoint stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tensorflow.core.framework import variable_pb2


@dataclass(frozen=True, kw_only=True)
class Part:
    """Which part of a stored value one variable of a TF1 graph is."""

    whole: str
    """Name of the stored value."""
    shape: tuple[int, ...]
    """Of the whole."""
    begin: tuple[int, ...]
    size: tuple[int, ...]


def variable_parts(meta: Any) -> Mapping[str, Part]:
    """Variable name to the part that it is, by `save_slice_info_def` of the graph's collections.

    A collection of bytes that holds something else than VariableDef is passed over.
    """
    found: dict[str, Part] = {}
    for collection in meta.collection_def.values():
        for data in collection.bytes_list.value:
            definition = variable_pb2.VariableDef()
            try:
                definition.ParseFromString(data)
            except DecodeError:
                continue
            info = definition.save_slice_info_def
            if info.full_name and definition.variable_name:
                found[definition.variable_name.removesuffix(":0")] = Part(
                    whole=info.full_name,
                    shape=tuple(info.full_shape),
                    begin=tuple(info.var_offset),
                    size=tuple(info.var_shape),
                )
    return found
