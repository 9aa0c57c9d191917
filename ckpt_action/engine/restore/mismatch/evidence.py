"""What is known about a failed restore, and a cause that it speaks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ckpt_action.checkpoint.records import Writer
from ckpt_action.config.records import Signature
from ckpt_action.engine.restore.mismatch.align import Row
from ckpt_action.engine.restore.records import Attempt


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known about a failed restore."""

    best: Attempt
    elsewhere: Sequence[Attempt]
    """Complete attempts at other roots than the one asked for."""
    rows: Sequence[Row]
    writer: Writer
    declared: Sequence[Signature]


@dataclass(frozen=True)
class Cause:
    text: str
    hint: str
