"""Choosing among the checkpoints that patterns matched: the latest, one step, or all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from ckpt_action.checkpoint.candidates import Candidates
from ckpt_action.checkpoint.damage import problem
from ckpt_action.checkpoint.names import natural_key, numbers_apart, series_of, shown, step_of
from ckpt_action.checkpoint.same_model import other_model
from ckpt_action.errors import CkptActionError, ExitCode, Where, fail

Select = Literal["latest", "all"] | int


def choose(found: Candidates, select: Select, folder: Path) -> tuple[list[Path], list[str]]:
    """The chosen paths and why; raises CkptActionError where the choice is not clear."""
    paths = sorted(found.paths, key=natural_key)
    if select == "all" or not paths:
        _refuse_torn(found.torn, [])
        return paths, []
    if isinstance(select, int):
        return _step(paths, select, folder)
    if len(paths) == 1:
        chosen, notes = paths, _stale(paths[0], found.latest)
    else:
        chosen, notes = _latest(paths, found.latest, folder)
    _refuse_torn(found.torn, chosen)
    return chosen, notes


def _refuse_torn(torn: list[Path], chosen: list[Path]) -> None:
    """A checkpoint without its index may be the one that is meant, unless its step is lower."""
    lowest = min((step for path in chosen if (step := step_of(path)) is not None), default=-1)
    problems = [
        problem(
            prefix,
            f"Data of {prefix.name} is there, but {prefix.name}.index is missing.",
            "Copy or commit all files of the checkpoint; or delete its rest, or write the "
            "checkpoint that is meant into `checkpoints`.",
        )
        for prefix in dict.fromkeys(torn)
        if (step := step_of(prefix)) is None or step > lowest
    ]
    if problems:
        raise CkptActionError(*problems)


def _step(paths: list[Path], step: int, folder: Path) -> tuple[list[Path], list[str]]:
    fitting = [path for path in paths if step_of(path) == step]
    if len(fitting) == 1:
        return fitting, []
    if named := _with_number(paths, step):
        note = f"{named.name} is the one with the number {step} of: {_listed(paths, folder)}."
        return [named], [note]
    names = _listed(fitting or paths, folder)
    if fitting:
        message = f"{len(fitting)} checkpoints have the step {step}: {names}."
        raise CkptActionError(problem(folder, message, "Narrow `checkpoints`, or change `select`."))
    steps = sorted({one for path in paths if (one := step_of(path)) is not None})
    message = f"No checkpoint has the step {step}; there are: {names}."
    hint = "Their names tell none: write the one that is meant into `checkpoints`."
    if steps:
        hint = f"As in `select = {steps[-1]}`; the steps are {shown(list(map(str, steps)))}."
    where = Where(file=str(folder), key_path="select")
    raise fail(ExitCode.CHECKPOINT, message, hint=hint, where=where)


def _with_number(paths: list[Path], number: int) -> Path | None:
    """The one that a number asks for though no word says that it is a step: the names differ by
    numbers alone, and one place among them has whole numbers that are different in each."""
    apart = [numbers_apart(path) for path in paths]
    if any(step_of(path) is not None for path in paths) or len({form for form, _ in apart}) != 1:
        return None
    columns = [
        [int(text) for text in column]
        for column in zip(*(numbers for _, numbers in apart), strict=True)
        if all(text.isdecimal() for text in column)
    ]
    telling = [column for column in columns if len(set(column)) == len(paths)]
    if len(telling) != 1 or number not in telling[0]:
        return None
    return paths[telling[0].index(number)]


def _latest(
    paths: list[Path], latest: Mapping[Path, str], folder: Path
) -> tuple[list[Path], list[str]]:
    names = _listed(paths, folder)
    highest = max(paths, key=lambda path: step_of(path) or 0)
    named = _named(paths, latest)
    if named is not None:
        notes = [f"`checkpoint` names {named.name}; there are: {names}."]
        if _one_series(paths) and named != highest:
            notes.append(f"{highest.name} has a higher step; `select` can ask for it.")
        return [named], notes
    if _one_series(paths):
        _refuse_other_model(highest, [path for path in paths if path != highest], folder)
        notes = [f"{highest.name} is the latest of: {names}."]
        return [highest], notes + _stale(highest, latest)
    message = f"Which of these {len(paths)} checkpoints is meant? {names}."
    told = [
        f"The `checkpoint` file names {name}, which is not there."
        for where, name in latest.items()
        if where / name not in paths
    ]
    hint = "Their names give no order: write the one that is meant into `checkpoints`."
    raise CkptActionError(problem(folder, " ".join([message, *told]), hint))


def _named(paths: list[Path], latest: Mapping[Path, str]) -> Path | None:
    """The checkpoint that the one state file in question names, if it is there."""
    if len(latest) != 1 or len({path.parent for path in paths}) != 1:
        return None
    [(folder, name)] = latest.items()
    return folder / name if folder / name in paths else None


def _one_series(paths: list[Path]) -> bool:
    """Whether the paths are steps of one training: one name, and a step of its own for each."""
    steps = {step_of(path) for path in paths}
    return (
        len({series_of(path) for path in paths}) == 1
        and None not in steps
        and len(steps) == len(paths)
    )


def _refuse_other_model(chosen: Path, others: list[Path], folder: Path) -> None:
    differing = other_model(chosen, others)
    if differing is None:
        return
    other, key = differing
    message = (
        f"{_name(chosen, folder)} and {_name(other, folder)} hold {key!r} in different shapes: "
        "they are different models, not steps of one."
    )
    hint = "Write the one that is meant into `checkpoints`."
    raise CkptActionError(problem(folder, message, hint))


def _stale(chosen: Path, latest: Mapping[Path, str]) -> list[str]:
    return [
        f"The `checkpoint` file names {name}, which is not there; {chosen.name} was chosen."
        for folder, name in latest.items()
        if chosen.parent == folder and chosen.name != name
    ]


def _listed(paths: list[Path], folder: Path) -> str:
    """By name where they lie in one folder, else by path."""
    together = len({path.parent for path in paths}) == 1
    return shown([path.name if together else _name(path, folder) for path in paths])


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
