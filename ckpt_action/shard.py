"""One machine's part of an export, and the record that it leaves."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from ckpt_action.codec import from_data, to_data
from ckpt_action.errors import ExitCode, Where, fail
from ckpt_action.manifest import RECORD
from ckpt_action.outcome import Run

MOST = 256
"""Jobs of one matrix, as GitHub limits them."""


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One part of several; `number` counts from 1."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


@dataclass(frozen=True, kw_only=True)
class ShardRecord:
    """What one machine did, failures included."""

    shard: Shard
    run: Run


def read_shard(text: str) -> Shard:
    """`2/8`; raises ValueError for anything that names no part."""
    found = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
    if not found or int(found[1]) > int(found[2]):
        raise ValueError(f"{text!r} is no shard: write `2/8` for the second of eight.")
    return Shard(number=int(found[1]), count=int(found[2]))


def write_record(record: ShardRecord, folder: Path) -> None:
    text = json.dumps(to_data(record), indent=1) + "\n"
    (folder / RECORD).write_text(text, encoding="utf-8", newline="\n")


def read_record(folder: Path) -> ShardRecord:
    """Raises CkptActionError (OUTPUT) where `folder` is not what `export --shard` leaves."""
    file = folder / RECORD
    try:
        return from_data(ShardRecord, json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise fail(
            ExitCode.OUTPUT,
            f"{RECORD} cannot be read: {error}.",
            hint="Give the folders that `ckpt-action export --shard` of this version wrote into.",
            where=Where(file=str(file)),
        ) from None
