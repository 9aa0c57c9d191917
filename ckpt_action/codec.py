"""Frozen records to plain JSON data and back, by their type annotations."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Record = TypeVar("Record")


def to_data(value: object) -> Any:
    """`value` as dicts, lists, strings and numbers; keys keep the names of the fields."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_data(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): to_data(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_data(item) for item in value]
    return value


def from_data(record: type[Record], data: Mapping[str, Any]) -> Record:
    """The inverse of `to_data`; raises TypeError or ValueError where `data` has another form."""
    return _read(record, data)  # type: ignore[no-any-return]


@cache
def _hints(record: type) -> dict[str, Any]:
    return get_type_hints(record)


def _read(kind: Any, data: Any) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _read_record(kind, data)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return _read_union(arguments, data)
    if origin is tuple:
        return _read_tuple(arguments, data)
    if origin is not None and origin is not Literal and issubclass(origin, Mapping):
        if not isinstance(data, Mapping):
            raise TypeError(f"expected an object, got {type(data).__name__}")
        return {key: _read(arguments[1], item) for key, item in data.items()}
    return _read_plain(kind, data)


def _read_record(kind: type, data: Any) -> Any:
    if not isinstance(data, Mapping):
        raise TypeError(f"expected an object for {kind.__name__}, got {type(data).__name__}")
    hints = _hints(kind)
    unknown = set(data) - set(hints)
    if unknown:
        raise ValueError(f"{kind.__name__} has no field {min(unknown)!r}")
    return kind(**{name: _read(hints[name], item) for name, item in data.items()})


def _read_union(choices: tuple[Any, ...], data: Any) -> Any:
    for choice in choices:
        try:
            return _read(choice, data)
        except (TypeError, ValueError):
            continue
    raise TypeError(f"{data!r} is none of {choices}")


def _read_tuple(items: tuple[Any, ...], data: Any) -> tuple[Any, ...]:
    if not isinstance(data, (list, tuple)):
        raise TypeError(f"expected an array, got {type(data).__name__}")
    if len(items) == 2 and items[1] is Ellipsis:
        return tuple(_read(items[0], item) for item in data)
    if len(items) != len(data):
        raise ValueError(f"expected {len(items)} items, got {len(data)}")
    return tuple(_read(kind, item) for kind, item in zip(items, data, strict=True))


def _read_plain(kind: Any, data: Any) -> Any:
    if get_origin(kind) is Literal:
        if data not in get_args(kind):
            raise ValueError(f"{data!r} is none of {get_args(kind)}")
        return data
    if kind in {object, Any}:
        return data
    if issubclass(kind, (Enum, Path)):
        return kind(data)
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if not isinstance(data, kind) or (kind is int and isinstance(data, bool)):
        raise TypeError(f"expected {kind.__name__}, got {type(data).__name__}")
    return data
