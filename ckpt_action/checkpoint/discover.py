"""From the patterns of a configuration to whole checkpoints on disk. No TensorFlow, no numpy."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from ckpt_action.checkpoint.candidates import Candidates, candidates_for
from ckpt_action.checkpoint.identify import identify
from ckpt_action.checkpoint.records import CheckpointFiles, Kind
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


def opened(files: CheckpointFiles) -> CheckpointFiles:
    """`files`, an HDF5 file that was only measured with the kind that it is inside; as they are
    where h5py is not there to read it. Raises CkptActionError where it is damaged."""
    if files.kind is not Kind.HDF5 or find_spec("h5py") is None:
        return files
    return replace(identify(files.path), notes=files.notes)


def _merge(into: Candidates, found: Candidates) -> None:
    for path in found.paths:
        into.add(path)
    into.torn += found.torn
    into.latest |= found.latest
    into.notes += found.notes
    into.problems += found.problems
