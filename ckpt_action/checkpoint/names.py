"""What the names of checkpoint files say: the step, the prefix, the natural order."""

from __future__ import annotations

import re
from pathlib import Path

_PARTS = re.compile(r"(\.index|\.meta|\.data-\d{5}-of-\d{5})$")
_ENDINGS = re.compile(r"(\.weights\.h5|\.weights\.json|\.h5|\.hdf5|\.keras|\.tf)$")
_NUMBER = re.compile(
    r"(?:^|[-_.=@]|(?<=[-_.])(?:epoch|ep|step|iter)|^(?:epoch|ep|step|iter))(\d+(?:\.\d+)?)(?![a-zA-Z0-9])",
    re.IGNORECASE,
)
_SHOWN = 10


def prefix_of(file: Path) -> Path | None:
    """The prefix that a part of a TensorFlow checkpoint belongs to; None for other files."""
    name = _PARTS.sub("", file.name)
    return file.with_name(name) if name and name != file.name else None


def step_of(path: Path) -> int | None:
    """The step in a checkpoint's name: the last whole number that stands by itself.

    `ckpt-12` is 12, `weights.05-0.32.h5` is 5 (0.32 is a loss), `resnet50` has none.
    """
    name = _ENDINGS.sub("", path.name)
    numbers = [match[1] for match in _NUMBER.finditer(name) if "." not in match[1]]
    return int(numbers[-1]) if numbers else None


def series_of(path: Path) -> str:
    """The whole path with its numbers taken out: equal for the members of one series."""
    return re.sub(r"\d+(\.\d+)?", "#", path.as_posix())


def natural_key(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Sorts `ckpt-9` before `ckpt-10`."""
    pieces = re.split(r"(\d+)", path.as_posix())
    return tuple((1, int(p), p) if p.isdecimal() else (0, 0, p) for p in pieces)


def shown(names: list[str]) -> str:
    """A list for a message, cut where it gets long."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
