"""The user's code is kept from writing to the files that the model is restored and proven from.

A training script without a `__main__` guard trains when it is imported, and saves where it saved
before. Python tells of a file before it is opened, and TensorFlow and h5py are asked through
functions of theirs; so the file is still what it was when the code is stopped.
"""

from __future__ import annotations

import importlib
import os
import sys
import types
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import h5py
import tensorflow as tf

from ckpt_action.digests import relative
from ckpt_action.engine.reads.audit_events import access, is_users_frame
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Where
from ckpt_action.plan import Job

_FILE_IO = "tensorflow.python.lib.io._pywrap_file_io"
_SAVER = "tensorflow.python.checkpoint.checkpoint"
_NO_FOLDER = -1
"""What audit events have in place of the descriptor of a folder."""
_stat = os.stat
"""As it is before anybody listens to it."""


class OverwritingError(CkptActionError):
    """The code began to write to a declared file."""


class DeclaredFiles:
    """Checkpoint, golden file and op libraries of one job; made once in a process."""

    def __init__(self, job: Job) -> None:
        self._roots = (*job.python_path, job.folder)
        self._folder = job.folder
        golden = (job.model.verify.golden,) if job.model.verify.golden else ()
        self.paths = (*golden, *job.checkpoint.files, *job.model.op_libraries)
        self._known = {found: path for path in self.paths if (found := _identity(path))}
        self._refused: OverwritingError | None = None

    def guard(self) -> None:
        """From now on, whoever opens one of them for writing gets an `OverwritingError`."""
        sys.addaudithook(self._hear)
        _before(h5py.h5f, "create", lambda name, *_, **__: self._refuse(name))
        _before(h5py.h5f, "open", self._opened_by_h5py)
        _before(importlib.import_module(_SAVER).TrackableSaver, "save", self._saved)
        _before(tf.compat.v1.train.Saver, "save", self._saved_in_session)
        files = importlib.import_module(_FILE_IO)
        _before(files, "DeleteFile", self._refuse)
        for name in ("RenameFile", "CopyFile"):
            _before(files, name, lambda _, target, *__: self._refuse(target))
        owner = next(c for c in tf.io.gfile.GFile.__mro__ if "__init__" in vars(c))
        _before(owner, "__init__", self._opened_by_tensorflow)

    def check(self) -> None:
        """Raises `OverwritingError` where code was stopped before and caught what stopped it."""
        if self._refused is not None:
            raise self._refused

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            if access(arguments)[1]:
                self._refuse(arguments[0])
        elif event == "os.remove":
            self._refuse(*arguments)
        elif event == "os.rename":
            self._refuse(arguments[0], arguments[2])
            self._refuse(arguments[1], arguments[3])
        elif event == "os.truncate":
            self._refuse(arguments[0])

    def _opened_by_h5py(
        self, name: Any, flags: int = h5py.h5f.ACC_RDWR, *_: Any, **__: Any
    ) -> None:
        if flags & h5py.h5f.ACC_RDWR:
            self._refuse(name)

    def _opened_by_tensorflow(
        self, _: Any, name: Any, mode: str = "r", *__: Any, **___: Any
    ) -> None:
        if mode not in ("r", "rb"):
            self._refuse(name)

    def _saved(self, _: Any, file_prefix: Any, *__: Any, **___: Any) -> None:
        if isinstance(file_prefix, (str, bytes, os.PathLike)):
            self._refuse(f"{os.fsdecode(file_prefix)}.index")

    def _saved_in_session(
        self, _: Any, __: Any, save_path: Any, global_step: Any = None, *___: Any, **____: Any
    ) -> None:
        if isinstance(save_path, (str, os.PathLike)):
            step = f"-{global_step}" if isinstance(global_step, int) else ""
            self._refuse(f"{os.fspath(save_path)}{step}.index")

    def _refuse(self, name: object, folder: int = _NO_FOLDER) -> None:
        """`folder`: descriptor of the one that `name` is relative to."""
        if not isinstance(name, (str, bytes, os.PathLike)):
            return
        identity = _identity(name, folder)
        if identity not in self._known:
            return
        path = self._known[identity]
        error = OverwritingError(_problem(relative(path, self._folder), self._roots))
        self._refused = self._refused or error
        raise error


def _identity(name: Any, folder: int = _NO_FOLDER) -> tuple[int, int] | None:
    """Of a file, by whatever link or relative path it is called; None where there is none."""
    try:
        found = _stat(name, dir_fd=None if folder == _NO_FOLDER else folder)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _problem(file: str, roots: Sequence[Path]) -> Problem:
    frames = tuple(_users_frames(sys._getframe(2), roots))  # noqa: SLF001
    where = None
    if frames:
        where = Where(file=frames[0].f_code.co_filename, line=frames[0].f_lineno)
    module = next((f for f in reversed(frames) if f.f_code.co_name == "<module>"), None)
    if module is not None:
        message = (
            f"importing {module.f_globals['__name__']} opens {file} for writing: the code trains "
            "when it is imported."
        )
        hint = (
            'Move the training under `if __name__ == "__main__":`, or name a module that only '
            "builds the model."
        )
    else:
        message = f"the code that makes the model opens {file} for writing."
        hint = "Name a function that only builds the model, and trains and saves nothing."
    return Problem(
        code=ExitCode.CHECKPOINT,
        message=f"{message} It was stopped before that changed the file.",
        hint=hint,
        where=where,
    )


def _users_frames(
    frame: types.FrameType | None, roots: Sequence[Path]
) -> Iterable[types.FrameType]:
    """The innermost first."""
    while frame is not None:
        if is_users_frame(frame, roots):
            yield frame
        frame = frame.f_back


def _before(owner: Any, name: str, hear: Callable[..., None]) -> None:
    original = getattr(owner, name)

    def called(*arguments: Any, **options: Any) -> Any:
        hear(*arguments, **options)
        return original(*arguments, **options)

    setattr(owner, name, called)
