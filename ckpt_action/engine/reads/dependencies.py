"""What the user's code read to make a model: modules, opened files, and what has no digest.

As a compiler's depfile: an export may be reused as long as all of this is the same. To be made
before the user's code runs, and asked when the last of it has run, for a model may import and read
while it is traced.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any

from ckpt_action.digests import relative
from ckpt_action.engine.reads import audit_events, native_reads
from ckpt_action.engine.reads.audit_events import access, asked_by_users, is_users_frame
from ckpt_action.engine.reads.lookups import Lookups
from ckpt_action.engine.reads.real_paths import RealPaths
from ckpt_action.engine.reads.stamps import Stamps
from ckpt_action.engine.user_code import OURS, is_users_place
from ckpt_action.plan import Job
from ckpt_action.repository import repository_of
from ckpt_action.trail import LISTING, importable

_INSTALLED = tuple(
    f"{Path(folder)}{os.sep}"
    for folder in {
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        sys.prefix,
        sys.base_prefix,
    }
)
_KNOWN_READERS = ("tensorflow", "keras", "tf_keras", "numpy", "absl")
"""What these ask by themselves is in the environment's digest, or decides nothing."""
_NO_INPUTS = ("/proc/", "/sys/", "/dev/", "/etc/")
_MOVES = {"os.remove", "os.rename", "os.truncate"}


@dataclass(frozen=True, kw_only=True)
class Read:
    files: tuple[Path, ...]
    """Every file inside the repository that was imported or read, sorted."""
    absent: tuple[str, ...]
    """Modules that the code asked for and that were not there, sorted."""
    lookups: Mapping[str, str]
    """Path, relative to the configuration, to what was there, where no digest tells that."""
    variables: Mapping[str, bool]
    """Variables of the environment that the code asked for, sorted, and whether they were set."""
    unrecorded: tuple[str, ...]
    """Names of what was read and has no digest that means something on another machine."""


class Dependencies:
    """Listens from when it is made until the process ends; made once in a process."""

    def __init__(self, job: Job, *, apart: Iterable[Path]) -> None:
        """Files in `apart`, or below them, are no inputs of the code: the run's own files, and what
        the manifest lists by itself."""
        self._roots = (*job.python_path, job.folder)
        self._bases = tuple(root.resolve() for root in self._roots)
        self._base = repository_of(job.folder.resolve())
        self._apart = tuple(str(path) for path in apart)
        self._opened: set[str] = set()
        self._made: set[str] = set()
        self._stamps = Stamps()
        self._variables: dict[str, bool] = {}
        self._real = RealPaths()
        self._folders: dict[str, bool] = {}
        self._absent = _Absent(self._roots)
        self._folder = job.folder.resolve()
        self._lookups = Lookups((self._base, *self._roots), self._not_made)
        self._lookups.listen()
        native_reads.listen(self._lookups, self._note_read, self._note_written)
        audit_events.listen(self._lookups.unrecorded, self._roots)
        sys.addaudithook(self._hear)
        sys.meta_path.append(self._absent)
        _record_variables(self._variables, self._roots)

    def read(self) -> Read:
        """What was read until now."""
        files = self._files()
        inside = tuple(sorted(file for file in files if self._inside(file)))
        outside = {f"file {file.name}" for file in files.difference(inside)}
        variables = {f"variable {name}" for name in self._variables}
        changed = self._stamps.changed_here(self._is_input)
        own = {f"file {Path(name).name}, which the code changed" for name in changed}
        return Read(
            files=inside,
            absent=tuple(sorted(self._absent.names)),
            lookups=self._found(files, inside),
            variables=dict(sorted(self._variables.items())),
            unrecorded=tuple(sorted(outside | variables | own | self._lookups.unrecorded)),
        )

    def refuse_changed(self) -> None:
        """Raises CkptActionError (REBUILD) where somebody else wrote to what the code had read."""
        self._stamps.refuse_changed(self._is_input, self._folder)

    def _found(self, files: set[Path], inside: Sequence[Path]) -> dict[str, str]:
        digested = set(map(str, files))
        found = {name: what for name, what in self._lookups.found.items() if name not in digested}
        found |= {str(one / LISTING): importable(one) for one in self._searched(inside)}
        return {relative(Path(name), self._folder): found[name] for name in sorted(found)}

    def _searched(self, files: Sequence[Path]) -> set[Path]:
        """Folders in which another module of the same name would be found before, or instead."""
        found = {*self._roots, *(file.parent for file in files if file.suffix == ".py")}
        found |= {
            Path(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry
        }
        return {folder.resolve() for folder in found if self._inside(folder.resolve())}

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _MOVES:
            for name in arguments[:2]:
                if isinstance(name, (str, bytes)):
                    self._note_written(_absolute(os.fsdecode(name)))
        if event != "open" or not isinstance(arguments[0], (str, bytes)):
            return
        asked = os.fsdecode(arguments[0])
        name = _source(_absolute(asked))
        reads, writes = access(arguments)
        if reads:
            self._note_read(name)
            self._lookups.ask(asked)
        if writes:
            self._note_written(name)

    def _note_read(self, name: str) -> None:
        self._opened.add(name)
        self._stamps.read(name)

    def _note_written(self, name: str) -> None:
        if name in self._opened:
            self._stamps.written(name)
        else:
            self._made.add(name)

    def _is_input(self, name: str) -> bool:
        file = Path(name).resolve()
        return self._not_made(name) and self._counts(str(file)) and self._inside(file)

    def _files(self) -> set[Path]:
        modules = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
        names = {_absolute(name) for name in modules if isinstance(name, str)} | self._opened
        found = {Path(name).resolve() for name in names - self._made if self._counts(name)}
        return {file for file in found if file.is_file() and self._counts(str(file))}

    def _counts(self, name: str) -> bool:
        if name.startswith((*_NO_INPUTS, OURS)) or _is_cache(name):
            return False
        if any(name == path or name.startswith(f"{path}{os.sep}") for path in self._apart):
            return False
        return not name.startswith(_INSTALLED) or self._is_users(name)

    def _is_users(self, name: str) -> bool:
        """Decided once for all files of a folder."""
        folder = self._real.folder_of(name)
        if folder not in self._folders:
            self._folders[folder] = is_users_place(Path(folder), self._bases)
        return self._folders[folder]

    def _not_made(self, name: str) -> bool:
        return self._counts(name) and name not in self._made

    def _inside(self, file: Path) -> bool:
        return any(file.is_relative_to(base) for base in (self._base, *self._bases))


class _Absent(MetaPathFinder):
    """Asked last: hears of every module that nobody has found."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self.names: set[str] = set()
        self._roots = roots

    def find_spec(self, fullname: str, *_: object) -> None:
        frame: types.FrameType | None = sys._getframe(1)  # noqa: SLF001
        while frame is not None and "importlib" in frame.f_code.co_filename:
            frame = frame.f_back
        if frame is not None and is_users_frame(frame, self._roots):
            self.names.add(fullname)


def _record_variables(names: dict[str, bool], roots: Sequence[Path]) -> None:
    """Note in `names` which variables of the environment the user's code asks for, and whether
    they were set when it first did."""
    kind: Any = type(os.environ)

    class Recording(kind):  # type: ignore[misc]
        def __getitem__(self, name: str) -> Any:
            by_users = asked_by_users(sys._getframe(1), roots, but=_KNOWN_READERS)  # noqa: SLF001
            try:
                value = kind.__getitem__(self, name)
            except KeyError:
                if by_users:
                    names.setdefault(name, False)
                raise
            if by_users:
                names.setdefault(name, True)
            return value

    os.environ.__class__ = Recording


def _absolute(name: str) -> str:
    """As it was asked for: what a link leads to is looked up at the end."""
    return os.path.abspath(name)  # noqa: PTH100


def _source(name: str) -> str:
    """The source that a compiled file is kept of: modules may be gone when we ask for them."""
    if not _is_cache(name):
        return name
    try:
        source = source_from_cache(name)
    except ValueError:
        return name
    return source if Path(source).is_file() else name


def _is_cache(name: str) -> bool:
    """Whether Python writes it by itself; without its source it is a module like any other."""
    return name.endswith(".pyc") and Path(name).parent.name == "__pycache__"
