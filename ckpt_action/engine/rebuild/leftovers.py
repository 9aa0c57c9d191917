"""Files that the first run of the code makes and the second one reads: a cache.

Both builds have the same values then, whatever these were made of, and comparing them shows
nothing.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import h5py
import tensorflow as tf

from ckpt_action.engine.reads.audit_events import access
from ckpt_action.engine.reads.native_reads import READING

_CLOCK = 20_000_000
"""Nanoseconds by which times of files may lie behind the clock; a restore takes longer."""
_UNMADE = ("__autograph_generated_file", f"{os.sep}__pycache__{os.sep}")
_KERNELS = ("/proc/", "/sys/")
"""No run makes these: their times are those of the first look at them, ours among others."""
_ENDS = ("", ".index")
"""A checkpoint is opened by the beginning of its files' names."""


class Leftovers:
    """To be made before the code runs for the first time."""

    def __init__(self) -> None:
        self.read: list[Path] = []
        """What `watched` has seen."""
        self._began = self._again = time.time_ns()
        self._downloads = _download_folders()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """The second run: what it reads and the first one wrote is noted."""
        self._again = time.time_ns()
        with ExitStack() as stack:
            stack.enter_context(_opened(self._hear))
            for module, name in (
                ("tensorflow.python.pywrap_tfe", "TFE_Py_FastPathExecute"),
                ("tensorflow.python.pywrap_tfe", "TFE_Py_Execute"),
            ):
                stack.enter_context(_before(module, name, self._hear_operation))
            for module, name in (
                ("tensorflow.python.lib.io._pywrap_file_io", "BufferedInputStream"),
                ("tensorflow.python.training.py_checkpoint_reader", "NewCheckpointReader"),
                (h5py.h5f.__name__, "open"),
            ):
                stack.enter_context(_before(module, name, self._hear_first))
            yield

    def _hear_operation(self, arguments: tuple[Any, ...]) -> None:
        if any(isinstance(a, str) and READING.fullmatch(a) for a in arguments[:3]):
            for argument in tf.nest.flatten(arguments[1:]):
                if isinstance(argument, tf.Tensor) and argument.dtype == tf.string:
                    for name in tf.reshape(argument, [-1]).numpy():
                        self._hear(name)
                elif isinstance(argument, (str, bytes)):
                    self._hear(argument)

    def _hear_first(self, arguments: tuple[Any, ...]) -> None:
        if arguments and isinstance(arguments[0], (str, bytes)):
            self._hear(arguments[0])

    def _hear(self, name: str | bytes) -> None:
        path = os.path.abspath(os.fsdecode(name))  # noqa: PTH100  links as they were asked for
        self.read += [
            Path(path + end)
            for end in _ENDS
            if self._is_left(path + end) and Path(path + end) not in self.read
        ]

    def _is_left(self, path: str) -> bool:
        if path.startswith((*_KERNELS, *self._downloads)) or any(part in path for part in _UNMADE):
            return False
        try:
            changed = Path(path).stat().st_mtime_ns if Path(path).is_file() else 0
        except (OSError, ValueError):
            return False
        return self._began <= changed < self._again - _CLOCK


def _download_folders() -> tuple[str, ...]:
    """Where libraries keep what they fetch, which is the same for whoever fetches it."""
    home = Path.home()
    named = [Path(os.environ[n]) for n in ("KERAS_HOME", "TFHUB_CACHE_DIR") if n in os.environ]
    return tuple(f"{folder}{os.sep}" for folder in (home / ".keras", home / ".cache", *named))


_hearing: list[Callable[[str | bytes], None]] = []


@contextmanager
def _opened(hear: Callable[[str | bytes], None]) -> Iterator[None]:
    """Call `hear` with every name that Python opens to read; nobody can take an audit hook out."""
    _add_hook()
    _hearing.append(hear)
    try:
        yield
    finally:
        _hearing.remove(hear)


@functools.cache
def _add_hook() -> None:
    sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _hearing or not isinstance(arguments[0], (str, bytes)):
        return
    reads, _ = access(arguments)
    if reads:  # a log that both runs write is no cache
        for hear in tuple(_hearing):
            hear(arguments[0])


@contextmanager
def _before(place: str, name: str, hear: Callable[[tuple[Any, ...]], None]) -> Iterator[None]:
    """Inside, `hear` gets the arguments of every call; nothing where there is no such function."""
    try:
        module = importlib.import_module(place)
        original = getattr(module, name)
    except (ImportError, AttributeError):
        yield
        return

    def called(*arguments: Any, **options: Any) -> Any:
        hear(arguments)
        return original(*arguments, **options)

    setattr(module, name, called)
    try:
        yield
    finally:
        setattr(module, name, original)
