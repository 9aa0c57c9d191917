"""Lay what did not bind side by side, as a person would who compares two lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from ckpt_action.engine.restore.records import LiveVariable, Value

_LARGEST = 1_000_000  # cells of the table of scores; more takes seconds
_ALIKE = 0.5


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the comparison; None where that side has nothing."""

    live: LiveVariable | None
    value: Value | None

    @property
    def same_shape(self) -> bool:
        return (
            self.live is not None
            and self.value is not None
            and self.live.shape == self.value.shape
            and self.live.dtype == self.value.dtype
        )


def align(live: Sequence[LiveVariable], values: Sequence[Value]) -> list[Row]:
    """Pairs and one-sided rows, in the order of the model.

    Both lists keep their order where that explains most; what is left over on both sides is paired
    where shape and name are alike.
    """
    if len(live) * len(values) > _LARGEST:
        rows = [Row(live=v, value=None) for v in live]
        rows += [Row(live=None, value=v) for v in values]
    else:
        rows = _in_order(live, values)
    return _pair_the_rest(rows)


def leaf(path: str) -> str:
    """The variable's own name."""
    return path.split(":", maxsplit=1)[0].rsplit("/", 1)[-1].lstrip("_")


def _score(live: LiveVariable, value: Value) -> int:
    """How much speaks for a pair; 0: nothing."""
    names = {leaf(value.path), leaf(value.full_name)} - {""}
    named = leaf(live.path) in names or leaf(live.place) in names
    if live.shape == value.shape:
        return 4 if named else 2
    return 1 if named and len(live.shape) == len(value.shape) else 0


def _in_order(live: Sequence[LiveVariable], values: Sequence[Value]) -> list[Row]:
    """The alignment with the highest sum of scores (Needleman and Wunsch, gaps cost nothing)."""
    scores = [[_score(v, value) for value in values] for v in live]
    best = [[0] * (len(values) + 1) for _ in range(len(live) + 1)]
    for i in range(len(live) - 1, -1, -1):
        for j in range(len(values) - 1, -1, -1):
            paired = best[i + 1][j + 1] + scores[i][j] if scores[i][j] else 0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    rows, i, j = [], 0, 0
    while i < len(live) and j < len(values):
        if scores[i][j] and best[i][j] == best[i + 1][j + 1] + scores[i][j]:
            rows.append(Row(live=live[i], value=values[j]))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            rows.append(Row(live=live[i], value=None))
            i += 1
        else:
            rows.append(Row(live=None, value=values[j]))
            j += 1
    rows += [Row(live=v, value=None) for v in live[i:]]
    return rows + [Row(live=None, value=v) for v in values[j:]]


def _pair_the_rest(rows: list[Row]) -> list[Row]:
    left = [row.value for row in rows if row.live is None and row.value is not None]
    result = []
    for row in rows:
        found = _nearest(row.live, left) if row.live is not None and row.value is None else None
        if found is not None:
            left.remove(found)
            row = Row(live=row.live, value=found)  # noqa: PLW2901
        result.append(row)
    return [row for row in result if row.live is not None or row.value in left]


def _nearest(live: LiveVariable, values: Sequence[Value]) -> Value | None:
    alike = [
        (SequenceMatcher(None, live.place, value.path).ratio(), index)
        for index, value in enumerate(values)
        if value.shape == live.shape
    ]
    ratio, index = max(alike, default=(0.0, 0))
    return values[index] if ratio > _ALIKE else None
