"""Where a key belongs that stands in a table that does not know it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ckpt_action.config.schema import schema
from ckpt_action.config.wording import KeyPath, key_path_text

_NAME = "NAME"
"""Stands for a name that the user chooses."""
_SIGNATURE = "serving_default"


def meant(key: str, value: object, table: KeyPath) -> str:
    """What to do about `key` with `value` in `table`, where another table knows it.

    A table that has a name of the user's choice is known by the keys in it. Empty where no other
    table fits.
    """
    homes = [home for home in _homes(key, value) if (home[0] == "defaults") == _in_defaults(table)]
    if not homes:
        return ""
    home = min(homes, key=len)
    if _leads_to(home, (*table, key)):
        return ""  # it is in its place; what is wrong is something else
    if len(home) == 1:
        return f"`{key}` belongs to the top of the file, above the first header."
    return f"Did you mean `{key_path_text(_filled(home, table))}`?"


def _leads_to(home: tuple[str, ...], path: KeyPath) -> bool:
    return len(home) == len(path) and all(a in (b, _NAME) for a, b in zip(home, path, strict=True))


def _in_defaults(table: KeyPath) -> bool:
    return table[:1] == ("defaults",)


def _homes(key: str, value: object) -> Iterator[tuple[str, ...]]:
    """Key paths that `key` may have, with `NAME` for other names of the user's choice."""
    for path, known in _tables(schema(), ()):
        if key in known:
            yield (*path, key)
        elif path[-1:] == (_NAME,) and isinstance(value, dict) and value and {*value} <= {*known}:
            yield (*path[:-1], key)


def _filled(home: tuple[str, ...], table: KeyPath) -> KeyPath:
    """`home` with the names of `table` for as long as both lead the same way.

    A `table` that is called as a later part of `home` stands at the wrong level: no name at all.
    """
    if table and table[-1] in home[len(table) :]:
        table = table[:-1]
    path: list[str | int] = []
    for index, part in enumerate(home):
        if part != _NAME:
            path.append(part)
        elif table[: len(path)] == tuple(path) and len(path) < len(table):
            path.append(table[index])
        else:
            path.append(_SIGNATURE if path[-1] == "signatures" else _NAME)
    return tuple(path)


def _tables(
    node: dict[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    """Key path and keys of every table that the schema has, but for those in arrays."""
    for reference in [node, *node.get("allOf", ())]:
        if "$ref" in reference:
            node = schema()["definitions"][reference["$ref"].rpartition("/")[2]]
    if known := {*node.get("properties", ())}:
        yield path, known
    for key, inner in node.get("properties", {}).items():
        yield from _tables(inner, (*path, key))
    if isinstance(inner := node.get("additionalProperties"), dict):
        yield from _tables(inner, (*path, _NAME))
