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
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any

import tensorflow as tf

from ckpt_action.digests import relative
from ckpt_action.engine import heard, native_reads
from ckpt_action.engine.heard import asked_by_users, is_users_frame
from ckpt_action.engine.lookups import Lookups
from ckpt_action.engine.rebuild.user_code import is_users
from ckpt_action.plan import Job
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
_OURS = f"{Path(__file__).resolve().parents[1]}{os.sep}"


class Dependencies:
    """Listens from when it is made until the process ends; made once in a process."""

    def __init__(self, job: Job, *, apart: Iterable[Path]) -> None:
        """Files in `apart`, or below them, are no inputs of the code: the run's own files, and what
        the manifest lists by itself."""
        self._roots = (*job.python_path, job.folder)
        self._base = _repository(job.folder)
        self._apart = tuple(str(path) for path in apart)
        self._opened: set[str] = set()
        self._made: set[str] = set()
        self._variables: set[str] = set()
        self._absent = _Absent(self._roots)
        self._folder = job.folder.resolve()
        self._lookups = Lookups((self._base, *self._roots), self._not_made)
        self._lookups.listen()
        native_reads.listen(self._lookups)
        heard.listen(self._lookups.unrecorded, self._roots)
        sys.addaudithook(self._hear)
        sys.meta_path.append(self._absent)
        _record_variables(self._variables, self._roots)
        _record_gfile(self._opened)

    def files(self) -> tuple[Path, ...]:
        """Every file inside the repository that was imported or read, sorted."""
        return tuple(sorted(file for file in self._read() if self._inside(file)))

    def unrecorded(self) -> tuple[str, ...]:
        """Names of what was read and has no digest that means something on another machine."""
        outside = {f"file {file.name}" for file in self._read() if not self._inside(file)}
        variables = {f"variable {name}" for name in self._variables}
        return tuple(sorted(outside | variables | self._lookups.unrecorded))

    def lookups(self) -> dict[str, str]:
        """Path, relative to the configuration, to what was there, where no digest tells that."""
        read = {str(file) for file in self._read()}
        found = {name: what for name, what in self._lookups.found.items() if name not in read}
        found |= {str(folder / LISTING): importable(folder) for folder in self._searched()}
        return {relative(Path(name), self._folder): found[name] for name in sorted(found)}

    def _searched(self) -> set[Path]:
        """Folders in which another module of the same name would be found before, or instead."""
        found = {*self._roots, *(file.parent for file in self.files() if file.suffix == ".py")}
        found |= {
            Path(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry
        }
        return {folder.resolve() for folder in found if self._inside(folder.resolve())}

    def absent(self) -> tuple[str, ...]:
        """Modules that the code asked for and that were not there, sorted."""
        return tuple(sorted(self._absent.names))

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not isinstance(arguments[0], (str, bytes)):
            return
        asked = os.fsdecode(arguments[0])
        name = _source(_absolute(asked))
        if not _writes(arguments):
            self._opened.add(name)
            self._lookups.ask(asked)
        elif name not in self._opened:
            self._made.add(name)

    def _read(self) -> set[Path]:
        modules = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
        names = {_absolute(name) for name in modules if isinstance(name, str)} | self._opened
        found = {Path(name).resolve() for name in names - self._made if self._counts(name)}
        return {file for file in found if file.is_file() and self._counts(str(file))}

    def _counts(self, name: str) -> bool:
        if name.startswith((*_NO_INPUTS, _OURS)) or _is_cache(name):
            return False
        if any(name == path or name.startswith(f"{path}{os.sep}") for path in self._apart):
            return False
        return not name.startswith(_INSTALLED) or is_users(Path(name), self._roots)

    def _not_made(self, name: str) -> bool:
        return self._counts(name) and name not in self._made

    def _inside(self, file: Path) -> bool:
        bases = (self._base, *(root.resolve() for root in self._roots))
        return any(file.is_relative_to(base) for base in bases)


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


def _record_variables(names: set[str], roots: Sequence[Path]) -> None:
    """Note in `names` which variables of the environment the user's code asks for."""
    kind: Any = type(os.environ)

    class Recording(kind):  # type: ignore[misc]
        def __getitem__(self, name: str) -> Any:
            if asked_by_users(sys._getframe(1), roots, but=_KNOWN_READERS):  # noqa: SLF001
                names.add(name)
            return kind.__getitem__(self, name)

    os.environ.__class__ = Recording


def _record_gfile(opened: set[str]) -> None:
    """TensorFlow's own files are opened in C++, where no audit hook hears of it."""
    owner: Any = next(c for c in tf.io.gfile.GFile.__mro__ if "__init__" in vars(c))
    open_file = owner.__init__

    def recorded(self: Any, name: Any, mode: str = "r", *more: Any, **options: Any) -> None:
        if "r" in mode and "://" not in str(name):
            opened.add(_absolute(os.fspath(name)))
        open_file(self, name, mode, *more, **options)

    owner.__init__ = recorded


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


def _writes(arguments: tuple[Any, ...]) -> bool:
    _, mode, flags = arguments
    if isinstance(mode, str):
        return bool({"w", "a", "x"} & set(mode))
    return bool(flags & (os.O_WRONLY | os.O_CREAT | os.O_TRUNC))


def _repository(folder: Path) -> Path:
    resolved = folder.resolve()
    parents = (resolved, *resolved.parents)
    return next((p for p in parents if p.joinpath(".git").exists()), resolved)
