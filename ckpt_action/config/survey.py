"""What a repository offers for a first `model-export.toml`: checkpoints and golden files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ckpt_action.checkpoint.discover import discover, opened
from ckpt_action.checkpoint.names import natural_key, numbers_apart, only_numbers_differ
from ckpt_action.checkpoint.records import CheckpointFiles
from ckpt_action.checkpoint.same_model import other_model
from ckpt_action.config.golden_names import golden_inputs
from ckpt_action.config.npz import Array
from ckpt_action.errors import CkptActionError

_NOT_SEARCHED = frozenset({"node_modules", "__pycache__", "site-packages", "dist", "build"})
_CHECKPOINT_FILE = re.compile(r".*[.](index|keras|h5|hdf5|weights[.]json)|saved_model[.]pbtxt?")


@dataclass(frozen=True, kw_only=True)
class FoundCheckpoint:
    """One or more checkpoints of one model."""

    pattern: str
    """As `checkpoints` names it, relative to the folder searched."""
    files: CheckpointFiles | None
    """The latest; None where it is there but cannot be read."""
    others: tuple[str, ...] = ()
    """Names of files beside it that may be later, as far as their names tell."""


@dataclass(frozen=True, kw_only=True)
class Golden:
    """What a model computed when it was trained."""

    file: str
    """Relative to the folder searched."""
    inputs: Mapping[str, Array]


def find_golden(folder: Path) -> tuple[Golden, ...]:
    """Every golden file below `folder`."""
    return tuple(
        Golden(file=(path / name).as_posix(), inputs=inputs)
        for path, names in walk(folder)
        for name in names
        if name.endswith(".npz") and (path.name == "golden" or "golden" in name)
        if (inputs := golden_inputs(folder / path / name))
    )


def find_checkpoints(folder: Path) -> tuple[FoundCheckpoint, ...]:
    """Every folder of checkpoints below `folder`, sorted; files of different models apart."""
    found: list[FoundCheckpoint] = []
    for path, names in walk(folder):
        if any(_CHECKPOINT_FILE.fullmatch(name) for name in names):
            found += _checkpoints_in(path.as_posix(), folder)
    return tuple(found)


def _checkpoints_in(pattern: str, folder: Path) -> Iterator[FoundCheckpoint]:
    every, broken = discover((pattern,), folder, "all")
    if not every:
        if broken:
            yield FoundCheckpoint(pattern=pattern, files=None)
        return
    latest, _ = discover((pattern,), folder, "latest")
    if len(every) > 1 and latest:
        yield _found(pattern, latest[0])
        return
    for files, others in _last_of_each(every):
        single = files.path.relative_to(folder.absolute()).as_posix()
        names = tuple(other.path.name for other in others)
        yield replace(_found(single, files), others=names)


def _last_of_each(
    every: Sequence[CheckpointFiles],
) -> Iterator[tuple[CheckpointFiles, Sequence[CheckpointFiles]]]:
    """The last in natural order of those whose names differ by numbers alone, and the rest."""
    by_form: dict[str, list[CheckpointFiles]] = {}
    for files in sorted(every, key=lambda files: natural_key(files.path)):
        by_form.setdefault(numbers_apart(files.path)[0], []).append(files)
    for group in by_form.values():
        *others, last = group
        paths = [files.path for files in group]
        if others and only_numbers_differ(paths) and not other_model(last.path, paths[:-1]):
            yield last, others
        else:
            yield from ((files, ()) for files in group)


def _found(pattern: str, files: CheckpointFiles) -> FoundCheckpoint:
    try:
        return FoundCheckpoint(pattern=pattern, files=opened(files))
    except CkptActionError:
        return FoundCheckpoint(pattern=pattern, files=None)


def walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Folders, relative to `folder`, and their files; without hidden ones and environments."""
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _NOT_SEARCHED
            and not Path(path, name, "pyvenv.cfg").is_file()
        )
        yield Path(path).relative_to(folder), sorted(names)
