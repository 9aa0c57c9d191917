"""Lookup tables that stay in a graph, for formats that have a place for what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

TABLE_READS = ("LookupTableFindV2", "LookupTableSizeV2")
"""Ops that a table which stays may be read by."""


def telling_tables(resources: Iterable[Any]) -> dict[int, Any]:
    """Identity of the handle to the table, of all that can tell what they hold."""
    return {id(r.resource_handle): r for r in resources if hasattr(r, "export")}


def place_table(node: Any, table: Any) -> None:
    """Turn `node` into an empty table of the types of `table`."""
    name = node.name
    node.Clear()
    node.name, node.op = name, "HashTableV2"
    node.attr["key_dtype"].type = table.key_dtype.as_datatype_enum
    node.attr["value_dtype"].type = table.value_dtype.as_datatype_enum
