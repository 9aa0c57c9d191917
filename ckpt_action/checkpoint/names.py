"""What the names of checkpoint files say: the step, the prefix, the natural order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ckpt_action.checkpoint.state_file import named_in

_PARTS = re.compile(r"(\.index|\.meta|\.data-\d{5}-of-\d{5})$")
_TABLE_PART = re.compile(r"(?<!\.data)-\d{5}-of-\d{5}$")
_ENDINGS = re.compile(r"(\.weights\.h5|\.weights\.json|\.h5|\.hdf5|\.keras|\.tf)$")
_NUMBER = re.compile(
    r"(?P<word>[a-zA-Z]*)(?P<gap>[-_.=@]?)(?P<number>\d+(?:\.\d+)?)"
    r"(?![a-zA-Z0-9]|[-_]of[-_]\d)"
)
_PLAIN_NUMBER = r"\d+(?:\.\d+)?"
_LABEL = re.compile(r"(?P<word>[a-zA-Z]+)\d+$")
_STEP = frozenset({"step", "steps", "epoch", "ep", "iter", "iteration", "it"})
_CHECKPOINT = frozenset(
    {"ckpt", "ckp", "chkpt", "checkpoint", "cp", "model", "weight", "weights", "save", "snapshot"}
)
"""What people call a checkpoint. Any other word may name a metric, a member, a size or a date."""
_METRIC = frozenset(
    {"loss", "acc", "accuracy", "val", "auc", "f1", "iou", "map", "mse", "mae", "rmse", "error"}
)
_NO_ORDER = frozenset({"fold", "seed", "run", "trial", "lr", "v", "version", "rank", "worker"})
_SHOWN = 10


def prefix_of(file: Path) -> Path | None:
    """The prefix that a part of a TensorFlow checkpoint belongs to; None for other files."""
    name = _PARTS.sub("", file.name)
    return file.with_name(name) if name and name != file.name else None


def without_part(path: Path) -> Path:
    """The checkpoint of which `path` may be one file of several, in the V1 format of TF1."""
    return path.with_name(_TABLE_PART.sub("", path.name) or path.name)


def step_of(path: Path) -> int | None:
    """The step in a checkpoint's name.

    The last number behind a word that says so (`step-100-loss-3` is 100), else the last whole
    number that stands by itself or behind a word for a checkpoint: `model-12` is 12,
    `weights.05-0.32.h5` is 5, `resnet50` and `best-ppl-38` have none. Behind another word it is one
    where the `checkpoint` file beside it shows that TensorFlow counted.
    """
    found = _step(path)
    return int(found["number"]) if found else None


def _step(path: Path) -> re.Match[str] | None:
    whole = [m for m in _numbers(path) if "." not in m["number"]]
    said = [m for m in whole if m["word"].lower() in _STEP]
    candidates = said or [m for m in whole if _stands_alone(path, m)]
    return candidates[-1] if candidates else None


def _stands_alone(path: Path, match: re.Match[str]) -> bool:
    """By itself, also not behind a word with a digit (`f1-87`), or as the count of a checkpoint."""
    if not match["word"]:
        label = _LABEL.search(match.string[: match.start()])
        return label is None or label["word"].lower() in _STEP | _CHECKPOINT
    return bool(match["gap"]) and (
        match["word"].lower() in _CHECKPOINT or _counted_by_tensorflow(path, match)
    )


def _counted_by_tensorflow(path: Path, match: re.Match[str]) -> bool:
    """Whether the state file of the folder names a checkpoint of this prefix with a later count.

    What was written last has the highest count. With a lower one than `path` the numbers measure
    something: `best-ppl-38` is written after `best-ppl-45`.
    """
    start, end = path.name[: match.start("number")], path.name[match.end("number") :]
    if _ENDINGS.sub("", end):
        return False
    named = re.fullmatch(re.escape(start) + r"(\d+)" + re.escape(end), named_in(path.parent) or "")
    return named is not None and int(match["number"]) <= int(named[1])


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


def numbers_apart(path: Path) -> tuple[str, tuple[str, ...]]:
    """The path with `#` for every number of its name, and these numbers."""
    stem = _ENDINGS.sub("", path.name)
    end = path.name[len(stem) :]
    numbers = re.findall(_PLAIN_NUMBER, stem)
    return path.with_name(re.sub(_PLAIN_NUMBER, "#", stem) + end).as_posix(), tuple(numbers)


def only_numbers_differ(paths: Sequence[Path]) -> bool:
    """Whether these seem to be steps of one training, though their names give no order.

    `fold_1` and `fold_2` are none, nor are `resnet50` and `resnet101`.
    """
    forms = {numbers_apart(path)[0] for path in paths}
    if len(forms) != 1:
        return False
    columns = zip(*(numbers_apart(path)[1] for path in paths), strict=True)
    first = next((i for i, column in enumerate(columns) if len(set(column)) > 1), None)
    if first is None:
        return False
    before = Path(forms.pop()).name.split("#")[first]
    word = re.search(r"([a-zA-Z]*)[-_.=@]$", before)
    return word is not None and word[1].lower() not in _NO_ORDER


def natural_key(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Sorts `ckpt-9` before `ckpt-10`."""
    pieces = re.split(r"(\d+)", path.as_posix())
    return tuple((1, int(p), p) if p.isdecimal() else (0, 0, p) for p in pieces)


def shown(names: list[str]) -> str:
    """A list for a message, cut where it gets long."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
