"""Which dtypes a variable may be filled from: its own, or one that it holds without loss."""

from __future__ import annotations

_WIDER = {
    "float16": ("float32", "float64"),
    "bfloat16": ("float32", "float64"),
    "float32": ("float64",),
}


def fits(stored: str, live: str) -> bool:
    return stored == live or widened(stored, live)


def widened(stored: str, live: str) -> bool:
    """Whether every value of `stored` is exactly a value of the wider `live`."""
    return live in _WIDER.get(stored, ())
