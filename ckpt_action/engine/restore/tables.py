"""Fill lookup tables that grow while they are used; their content is in the checkpoint alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.restore.records import Source, Value
from ckpt_action.errors import CkptActionError, ExitCode, Problem


def fill_tables(tables: Iterable[tuple[Any, Mapping[str, Value]]], source: Source) -> None:
    """Replace the content of each table and read it back; raises RESTORE where it differs."""
    failures = []
    for table, stored in tables:
        keys, values = source.read(stored["keys"].key), source.read(stored["values"].key)
        held, _ = table.export()
        table.remove(held)
        table.insert(keys, values)
        now = [np.asarray(part) for part in table.export()]
        if _pairs(*now) != _pairs(keys, values):
            failures.append(
                Problem(
                    code=ExitCode.RESTORE,
                    message=f"The table {stored['keys'].path} does not hold what the checkpoint "
                    "holds after it was filled.",
                )
            )
    if failures:
        raise CkptActionError(*failures)


def _pairs(keys: Array, values: Array) -> list[tuple[str, str]]:
    return sorted(
        (repr(key), repr(value)) for key, value in zip(keys.tolist(), values.tolist(), strict=True)
    )
