"""Lookup tables and what they hold, as pairs of a key and a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.objects import Held, resources_among
from ckpt_action.engine.restore.model.finish import layers_among
from ckpt_action.engine.restore.records import Source, Value
from ckpt_action.errors import CkptActionError, ExitCode, Problem

Content = dict[str, str]
"""Key to value, as Python writes them."""


def is_table(item: object) -> bool:
    """Whether `item` is a lookup table that tells what it holds."""
    return isinstance(item, tf.saved_model.experimental.TrackableResource) and hasattr(
        item, "export"
    )


def is_lookup_layer(layer: object) -> bool:
    """Whether it is one of Keras that looks words up; the user's own may hold a table too."""
    return all(
        hasattr(layer, name) for name in ("lookup_table", "get_vocabulary", "set_vocabulary")
    )


def live_tables(held: Held) -> list[Any]:
    """Every table that the model looks something up in; not those in which a lookup layer counts
    words while it adapts."""
    counting = {
        id(value)
        for layer in layers_among(held)
        if is_lookup_layer(layer)
        for value in vars(layer).values()
        if value is not layer.lookup_table
    }
    found = [table for _, table in resources_among(held) if is_table(table)]
    return [table for table in found if id(table) not in counting]


def is_empty(table: Any) -> bool:
    try:
        return not int(table.size())
    except tf.errors.OpError:  # it was never initialised
        return True


def content(table: Any) -> Content:
    return {} if is_empty(table) else as_content(*_entries(table, *table.export()))


def replace_content(table: Any, keys: Any, values: Any) -> None:
    """Also with what a dense table exports: a list of its buckets, most of them empty."""
    tf.raw_ops.LookupTableImportV2(table_handle=table.resource_handle, keys=keys, values=values)


def _entries(table: Any, keys: Any, values: Any) -> tuple[Array, Array]:
    """Without the buckets in which a dense table has nothing, by the keys that it was given."""
    keys, values = np.asarray(keys), np.asarray(values)
    marks = [getattr(table, name, None) for name in ("_empty_key", "_deleted_key")]
    for mark in (np.asarray(mark) for mark in marks if mark is not None):
        used = (keys.reshape(len(keys), mark.size) != mark.reshape(-1)).any(axis=1)
        keys, values = keys[used], values[used]
    return keys, values


def as_content(keys: Array, values: Array) -> Content:
    pairs = zip(keys.tolist(), values.tolist(), strict=True)
    return {repr(key): repr(value) for key, value in pairs}


def stored_content(stored: Mapping[str, Value], source: Source) -> Content:
    return as_content(source.read(stored["keys"].key), source.read(stored["values"].key))


def place(stored: Mapping[str, Value]) -> str:
    """Where the checkpoint holds the table, as a person reads it."""
    return stored["keys"].path.split("/.ATTRIBUTES")[0]


def fill_tables(tables: Iterable[tuple[Any, Mapping[str, Value]]], source: Source) -> None:
    """Replace the content of each table and read it back; raises RESTORE where it differs."""
    failures = []
    for table, stored in tables:
        keys, values = source.read(stored["keys"].key), source.read(stored["values"].key)
        replace_content(table, keys, values)
        if content(table) != as_content(*_entries(table, keys, values)):
            failures.append(
                Problem(
                    code=ExitCode.RESTORE,
                    message=f"The table {place(stored)} does not hold what the checkpoint holds "
                    "after it was filled.",
                )
            )
    if failures:
        raise CkptActionError(*failures)
