"""What the names of checkpoint files say: the step, the prefix, the natural order."""

from __future__ import annotations

import re
from pathlib import Path

_PARTS = re.compile(r"(\.index|\.meta|\.data-\d{5}-of-\d{5})$")
_ENDINGS = re.compile(r"(\.weights\.h5|\.weights\.json|\.h5|\.hdf5|\.keras|\.tf)$")
_NUMBER = re.compile(
    r"(?P<word>[a-zA-Z]*)(?P<gap>[-_.=@]?)(?P<number>\d+(?:\.\d+)?)(?![a-zA-Z0-9])"
)
_STEP = frozenset({"step", "steps", "epoch", "ep", "iter", "iteration"})
_METRIC = frozenset(
    {"loss", "acc", "accuracy", "val", "auc", "f1", "iou", "map", "mse", "mae", "rmse", "error"}
)
_NO_ORDER = frozenset({"fold", "seed", "run", "trial", "lr", "v", "version", "rank", "worker"})
_SHOWN = 10


def prefix_of(file: Path) -> Path | None:
    """The prefix that a part of a TensorFlow checkpoint belongs to; None for other files."""
    name = _PARTS.sub("", file.name)
    return file.with_name(name) if name and name != file.name else None


def step_of(path: Path) -> int | None:
    """The step in a checkpoint's name.

    The last number behind a word that says so (`step-100-loss-3` is 100), else the last whole
    number that stands by itself and behind no metric: `model-12` is 12, `weights.05-0.32.h5` is 5,
    `resnet50` has none.
    """
    found = _step(path)
    return int(found["number"]) if found else None


def _step(path: Path) -> re.Match[str] | None:
    whole = [m for m in _numbers(path) if "." not in m["number"]]
    said = [m for m in whole if m["word"].lower() in _STEP]
    no_step = _METRIC | _NO_ORDER
    alone = [m for m in whole if not m["word"] or (m["gap"] and m["word"].lower() not in no_step)]
    candidates = said or alone
    return candidates[-1] if candidates else None


def _numbers(path: Path) -> list[re.Match[str]]:
    return list(_NUMBER.finditer(_ENDINGS.sub("", path.name)))


def series_of(path: Path) -> str:
    """What the members of one series share: the path without its step and its metrics.

    Other numbers stay: `fold_1` and `fold_2`, or two runs, are no steps of one training.
    """
    name, step = path.name, _step(path)
    taken_out = {step.span("number")} if step else set()
    for match in _numbers(path):
        word = match["word"].lower()
        if word in _STEP | _METRIC or ("." in match["number"] and word not in _NO_ORDER):
            taken_out.add(match.span("number"))
    for start, end in sorted(taken_out, reverse=True):
        name = f"{name[:start]}#{name[end:]}"
    return path.with_name(name).as_posix()


def natural_key(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Sorts `ckpt-9` before `ckpt-10`."""
    pieces = re.split(r"(\d+)", path.as_posix())
    return tuple((1, int(p), p) if p.isdecimal() else (0, 0, p) for p in pieces)


def shown(names: list[str]) -> str:
    """A list for a message, cut where it gets long."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
