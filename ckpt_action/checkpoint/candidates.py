"""Which checkpoints a pattern can mean: cheap looks at names and first bytes only."""

from __future__ import annotations

import contextlib
import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ckpt_action.checkpoint import state_file
from ckpt_action.checkpoint.damage import problem
from ckpt_action.checkpoint.foreign import HDF5_MAGIC, LFS_MAGIC, ZIP_MAGIC, head
from ckpt_action.checkpoint.identify import is_keras_folder, is_orbax, is_prefix, is_saved_model
from ckpt_action.checkpoint.keras_archive import shard_names
from ckpt_action.checkpoint.names import natural_key, prefix_of, shown, without_part
from ckpt_action.checkpoint.patterns import is_glob, matches
from ckpt_action.checkpoint.table import is_table
from ckpt_action.checkpoint.tf1_table import table_files
from ckpt_action.errors import CkptActionError, Problem
from ckpt_action.repository import other_bases, path_from

_WEIGHTS = (".h5", ".hdf5", ".keras")


@dataclass(kw_only=True)
class Candidates:
    """What one pattern can mean, before one of it is chosen."""

    paths: list[Path] = field(default_factory=list)
    """Prefixes, files and folders, each once."""
    torn: list[Path] = field(default_factory=list)
    """Prefixes of which there is data, but no index."""
    latest: dict[Path, str] = field(default_factory=dict)
    """Folder to the name that its `checkpoint` file calls the latest."""
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: Path) -> None:
        if path not in self.paths:
            self.paths.append(path)


def candidates_for(pattern: str, folder: Path) -> Candidates:
    """Everything that `pattern`, relative to `folder`, can mean."""
    if "\0" in pattern:
        return Candidates(problems=[problem(folder, f"{pattern!r} can be no path.", "")])
    literal = Path(os.path.normpath(folder / pattern))
    found = _there(pattern, literal, folder)
    if not (found.paths or found.problems or found.torn):
        found.problems.append(_elsewhere(pattern, folder) or _nothing(pattern, literal))
    return found


def _there(pattern: str, literal: Path, folder: Path) -> Candidates:
    found = Candidates()
    if is_prefix(literal) or literal.exists() or not is_glob(pattern):
        _add_named(found, literal)
    else:
        for path in matches(pattern, folder):
            _add_matched(found, path)
        found.paths = _without_shards(found.paths)
    return found


def _add_named(found: Candidates, path: Path) -> None:
    """One path that the user wrote out: whatever is there is meant, even if it is broken."""
    prefix = prefix_of(path)
    if is_prefix(path):
        found.add(path)
    elif prefix is not None and is_prefix(prefix):
        found.notes.append(f"{path.name} is one file of a checkpoint; its prefix is {prefix.name}.")
        found.add(prefix)
    elif prefix is not None and _is_tables(prefix):
        found.notes.append(f"{path.name} is the graph of the checkpoint {prefix.name}.")
        found.add(prefix)
    elif prefix is not None and path.is_file():
        missing = prefix.name + ".index"
        message = f"{path.name} cannot be read without {missing}, which is missing."
        found.problems.append(problem(path, message, "Copy or commit all files of the checkpoint."))
    elif path.is_dir():
        _add_folder(found, path)
    elif path.name == state_file.NAME and path.is_file() and _listed(path.parent):
        found.notes.append("`checkpoint` is a list of checkpoints; its folder is meant.")
        _add_folder(found, path.parent)
    elif path.exists() or _is_tables(path):
        found.add(_whole(path))


def _add_matched(found: Candidates, path: Path) -> None:
    """One path that a glob matched: what is no checkpoint was not meant."""
    prefix = prefix_of(path)
    if is_prefix(path):
        found.add(path)
    elif prefix is not None and is_prefix(prefix):
        if _is_checkpoint_file(prefix.with_name(prefix.name + ".index")):
            found.add(prefix)
    elif (torn := _torn(path)) is not None:
        found.torn.append(torn)
    elif path.is_dir():
        if _is_checkpoint_folder(path) or _listed(path):
            _add_folder(found, path)
    elif _is_checkpoint_file(path):
        found.add(_whole(path))


def _add_folder(found: Candidates, folder: Path) -> None:
    if _is_checkpoint_folder(folder):
        found.add(folder)
        return
    for path in _listed(folder):
        found.add(path)
    found.torn += [torn for item in _items(folder) if (torn := _torn(item)) is not None]
    named = state_file.named_in(folder)
    if named is not None:
        found.latest[folder] = named


def _listed(folder: Path) -> list[Path]:
    """The checkpoints that lie in `folder` itself, in natural order."""
    listed: set[Path] = set()
    for item in _items(folder):
        prefix = prefix_of(item)
        if prefix is not None:
            if item.suffix == ".index" and _is_checkpoint_file(item):
                listed.add(prefix)
        elif _is_checkpoint_folder(item) if item.is_dir() else _is_checkpoint_file(item):
            listed.add(_whole(item))
    return _without_shards(sorted(listed, key=natural_key))


def _torn(path: Path) -> Path | None:
    """The prefix of a checkpoint of which `path` is data while its index is missing."""
    prefix = prefix_of(path)
    if prefix is None or ".data-" not in path.name or is_prefix(prefix) or not path.is_file():
        return None
    return prefix


def _items(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except OSError:
        return


def _without_shards(paths: list[Path]) -> list[Path]:
    """Weight files that a `.weights.json` among `paths` names are part of it, not beside it."""
    shards: set[Path] = set()
    for file in paths:
        if file.suffix == ".json":
            with contextlib.suppress(CkptActionError, OSError, UnicodeDecodeError):
                shards.update(map(file.with_name, shard_names(file, file.read_text("utf-8"))))
    return [path for path in paths if path not in shards]


def _is_checkpoint_folder(folder: Path) -> bool:
    return is_saved_model(folder) or is_keras_folder(folder) or is_orbax(folder)


def _is_checkpoint_file(file: Path) -> bool:
    """By its bytes; a Git LFS pointer or an empty file has none, so its name must do."""
    try:
        if not file.is_file():
            return False
        start = head(file, 64)
        if file.suffix == ".index":
            return not start or start.startswith(LFS_MAGIC) or is_table(file) or _has_data(file)
        if start.startswith(HDF5_MAGIC) or is_table(file):
            return True
        if start.startswith((ZIP_MAGIC, LFS_MAGIC)) or not start:
            return file.suffix in _WEIGHTS
    except OSError:
        return False
    return file.name.endswith(".weights.json")


def _whole(path: Path) -> Path:
    """The checkpoint that `path` is, or is one of several files of."""
    whole = without_part(path)
    return whole if whole != path and _is_tables(whole) else path


def _is_tables(path: Path) -> bool:
    """Whether `path` is a checkpoint of the V1 format of TF1, in one file or in several."""
    with contextlib.suppress(OSError):
        return bool(table_files(path))
    return False


def _has_data(index: Path) -> bool:
    return any(index.parent.glob(f"{index.stem}.data-*")) if "[" not in index.stem else True


def _elsewhere(pattern: str, folder: Path) -> Problem | None:
    """Nothing matched from `folder`, but from the repository's root or the working directory."""
    if "**" in pattern:  # which would search all of it
        return None
    for base in other_bases(folder):
        literal = Path(os.path.normpath(base / pattern))
        if _there(pattern, literal, base).paths:
            away = path_from(folder, literal)
            hint = f"It lies at {away!r}: paths start from the folder {folder.name}."
            return problem(folder, f"{pattern!r} matches no checkpoint.", hint)
    return None


def _nothing(pattern: str, literal: Path) -> Problem:
    """Nothing matched: say what is there instead."""
    tracked = next((p for p in (literal, *literal.parents) if _dvc(p).is_file()), None)
    if tracked is not None:
        message = f"{pattern!r} matches nothing; {_dvc(tracked).name} shows that DVC tracks it."
        return problem(literal, message, "Run `dvc pull`.")
    there = literal
    while not there.is_dir() and there != there.parent:
        there = there.parent
    present = [path.name for path in _listed(there)]
    items = sorted(_items(there))
    first, *rest = literal.relative_to(there).parts or (there.name,)
    folders = [item.name for item in items if item.is_dir()]
    near = difflib.get_close_matches(first, folders if rest else [*present, *folders], n=1)
    hint = f"Did you mean {near[0]!r}?" if near else ""
    if present:
        hint = f"{hint} In {there.name} there are: {shown(present)}.".strip()
    else:
        names = [item.name + "/" * item.is_dir() for item in items]
        below = [f"{item.name}/{path.name}" for item in items for path in _listed(item)]
        only = f", only: {shown(names)}." if names else "."
        hint += f" {there.name} holds no checkpoint{only}"
        hint += f" Below it there are: {shown(below)}." if below else ""
    return problem(there, f"{pattern!r} matches no checkpoint.", hint.strip())


def _dvc(path: Path) -> Path:
    return path.parent / (path.name + ".dvc")
