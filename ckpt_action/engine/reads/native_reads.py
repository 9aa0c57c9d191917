"""Files that C++ opens for the user's code, where no audit hook hears of it."""

from __future__ import annotations

import functools
import importlib
import os
import re
import sys
from collections.abc import Callable
from typing import Any

import h5py
import tensorflow as tf

from ckpt_action.engine.reads.lookups import Lookups, asked_by_us

READING = re.compile(
    r"ReadFile|MatchingFiles|Restore(V2|Slice)?|\w*(Line|Record|LMDB|CSV|Sql|Load|Snapshot)\w*"
    r"(Dataset|Reader)\w*|WholeFileReader\w*|InitializeTableFromTextFile\w*"
)
_ASKING = ("FileExists", "IsDirectory", "Stat")
_LISTING = ("GetChildren", "GetMatchingFiles", "CopyFile")
_BETWEEN = ("tensorflow", "keras", "tf_keras", "h5py")
"""Packages that are called, and do not ask by themselves."""


def listen(lookups: Lookups, read: Callable[[str], None], written: Callable[[str], None]) -> None:
    """Note by which of TensorFlow's operations and functions code reads; ask for what it asks.

    `read` and `written` hear of the absolute paths of files that `GFile` opens.
    """
    unrecorded = lookups.unrecorded

    def operation(arguments: tuple[Any, ...]) -> None:
        for name in arguments[:3]:
            if isinstance(name, str) and _reads(name):
                if not _by_us():
                    unrecorded.add(f"files with TensorFlow's {name}")
                return

    files = "tensorflow.python.lib.io._pywrap_file_io"
    reads = [
        # Of a name: eager calls have the context and the device before it, graphs have it first.
        ("tensorflow.python.pywrap_tfe", "TFE_Py_FastPathExecute", operation),
        ("tensorflow.python.pywrap_tfe", "TFE_Py_Execute", operation),
        ("tensorflow.python.framework.op_def_library", "_apply_op_helper", operation),
        (
            "tensorflow.python.training.py_checkpoint_reader",
            "NewCheckpointReader",
            _noting(unrecorded, "a checkpoint by itself"),
        ),
    ]
    reads += [
        (
            files,
            name,
            _noting(unrecorded, f"files with TensorFlow's {name}"),
        )
        for name in _LISTING
    ]
    reads += [(files, name, _asking(lookups)) for name in _ASKING]
    for module, name, hear in reads:
        try:
            _wrap(importlib.import_module(module), name, hear)
        except (ImportError, AttributeError):
            unrecorded.add(f"files with TensorFlow, perhaps: it has no {module}.{name}")
    _wrap(h5py.h5f, "open", _noting(unrecorded, "files with h5py"))
    _record_gfile(read, written)


@functools.lru_cache(4096)
def _reads(operation: str) -> bool:
    """Asked at every operation, of a few hundred names."""
    return READING.fullmatch(operation) is not None


def _record_gfile(read: Callable[[str], None], written: Callable[[str], None]) -> None:
    owner: Any = next(c for c in tf.io.gfile.GFile.__mro__ if "__init__" in vars(c))
    open_file = owner.__init__

    def recorded(self: Any, name: Any, mode: str = "r", *more: Any, **options: Any) -> None:
        if "://" not in str(name):
            heard = read if "r" in mode else written
            heard(os.path.abspath(os.fsdecode(name)))  # noqa: PTH100
        open_file(self, name, mode, *more, **options)

    owner.__init__ = recorded


def _noting(unrecorded: set[str], what: str) -> Callable[[tuple[Any, ...]], None]:
    def note(_: tuple[Any, ...]) -> None:
        if not _by_us():
            unrecorded.add(what)

    return note


def _asking(lookups: Lookups) -> Callable[[tuple[Any, ...]], None]:
    def ask(arguments: tuple[Any, ...]) -> None:
        if not _by_us():
            lookups.ask(os.fsdecode(arguments[0]))

    return ask


def _by_us() -> bool:
    return asked_by_us(sys._getframe(1), through=_BETWEEN)  # noqa: SLF001


def _wrap(owner: Any, name: str, hear: Callable[[tuple[Any, ...]], None]) -> None:
    original = getattr(owner, name)

    def called(*arguments: Any, **options: Any) -> Any:
        hear(arguments)
        return original(*arguments, **options)

    setattr(owner, name, called)
