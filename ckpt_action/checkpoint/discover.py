"""From the patterns of a configuration to whole checkpoints on disk. No TensorFlow, no numpy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ckpt_action.checkpoint.candidates import Candidates, candidates_for
from ckpt_action.checkpoint.identify import identify
from ckpt_action.checkpoint.records import CheckpointFiles
from ckpt_action.checkpoint.select import Select, choose
from ckpt_action.errors import CkptActionError, Problem


def discover(
    patterns: tuple[str, ...], folder: Path, select: Select, *, look_inside: bool = False
) -> tuple[tuple[CheckpointFiles, ...], tuple[Problem, ...]]:
    """The chosen checkpoints in natural order, and everything that is wrong with them.

    A pattern is a prefix, a file, a folder, or a glob over them, relative to `folder`. A folder of
    TensorFlow checkpoints stands for those in it; its `checkpoint` state file is a hint only. A
    checkpoint with a problem is not returned. With `look_inside` HDF5 files are opened, which
    takes h5py and numpy.
    """
    folder = folder.absolute()
    found = Candidates()
    for pattern in patterns:
        _merge(found, candidates_for(pattern, folder))
    if found.problems:
        return (), tuple(found.problems)
    problems: list[Problem] = []
    whole: list[CheckpointFiles] = []
    try:
        chosen, why = choose(found, select, folder)
    except CkptActionError as error:
        return (), error.problems
    for path in chosen:
        try:
            files = identify(path, look_inside=look_inside)
        except CkptActionError as error:
            problems += error.problems
        else:
            whole.append(replace(files, notes=(*found.notes, *why)))
    return tuple(whole), tuple(problems)


def _merge(into: Candidates, found: Candidates) -> None:
    for path in found.paths:
        into.add(path)
    into.torn += found.torn
    into.latest |= found.latest
    into.notes += found.notes
    into.problems += found.problems
