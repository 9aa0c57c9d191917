"""A number and its noun. Apart from all other figures, so that `validate` loads none of them."""

from __future__ import annotations

from collections.abc import Sequence


def count(things: int | Sequence[object], noun: str) -> str:
    number = things if isinstance(things, int) else len(things)
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
