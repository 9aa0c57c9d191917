"""What the user's code does that no digest stands for: it lists folders, runs programs, connects.

Python tells of these by audit events. Whose doing one is, the stack tells: an import, and what this
package does by itself, is not the code's. Native code that the user's imports bring along tells of
nothing, so it may have read whatever it likes.
"""

from __future__ import annotations

import builtins
import os
import sys
import types
from collections.abc import Sequence
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

from ckpt_action.engine.user_code import OURS, in_stdlib, is_users

_EVENTS = {
    "os.listdir": "the list of a folder's files",
    "os.scandir": "the list of a folder's files",
    "subprocess.Popen": "what a program printed",
    "os.system": "what a program did",
    "os.exec": "what a program did",
    "os.posix_spawn": "what a program did",
    "os.fork": "what another process did",
    "socket.connect": "the network",
    "socket.getaddrinfo": "the network",
    "sqlite3.connect": "a database",
}
_THROUGH_PYTHON = frozenset(
    {
        *(
            "tensorflow",
            "keras",
            "tf_keras",
            "google",
            "grpc",
            "h5py",
            "ml_dtypes",
            "optree",
            "wrapt",
        ),
        *("numpy", "scipy", "pandas", "sklearn", "threadpoolctl", "PIL", "yaml"),
    }
)
"""Packages whose native code opens files by way of Python, or is listened to elsewhere."""
_BY_ITSELF = ("scipy.io._fast_matrix_market", "PIL._imagingft")
"""Their parts that do not."""


def listen(unrecorded: set[str], roots: Sequence[Path]) -> None:
    """Put into `unrecorded` what the code below `roots` does from now on."""

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if event in ("import", "ctypes.dlopen"):
            reader = _native(event, arguments)
            if reader and brought_by_users(sys._getframe(1), roots):  # noqa: SLF001
                unrecorded.add(f"files with {reader}, perhaps")
        what = _EVENTS.get(event)
        if what and what not in unrecorded and asked_by_users(sys._getframe(1), roots):  # noqa: SLF001
            unrecorded.add(what)

    sys.addaudithook(hear)
    _hear_imports(unrecorded, roots)


def _hear_imports(unrecorded: set[str], roots: Sequence[Path]) -> None:
    """Of packages that Keras had loaded before: Python tells of the first import only."""
    before = {name.partition(".")[0] for name in sys.modules} - _THROUGH_PYTHON
    before -= {*sys.stdlib_module_names, *sys.builtin_module_names}
    original: Any = builtins.__import__

    def imported(name: str, *more: Any, **options: Any) -> Any:
        package = name.partition(".")[0]
        if package in before and brought_by_users(sys._getframe(1), roots):  # noqa: SLF001
            before.discard(package)
            unrecorded.update([f"files with {package}, perhaps"] if _is_native(package) else ())
        return original(name, *more, **options)

    # Who looks who imported something passes over the import system.
    imported.__code__ = imported.__code__.replace(co_filename="<frozen importlib.heard>")
    builtins.__import__ = imported


def _is_native(package: str) -> bool:
    """Whether a loaded package holds an extension module."""
    folders = getattr(sys.modules.get(package), "__path__", ())
    files = (file for folder in folders for file in Path(folder).rglob("*"))
    return any(file.name.endswith(tuple(EXTENSION_SUFFIXES)) for file in files)


def _native(event: str, arguments: tuple[object, ...]) -> str:
    """The package, or the library, that was loaded and may open files by itself; empty for others.

    Of an import there is a path where an extension module is loaded.
    """
    if event == "ctypes.dlopen":
        return (
            Path(os.fsdecode(name)).name if isinstance(name := arguments[0], (str, bytes)) else ""
        )
    name, path = arguments[:2]
    if not isinstance(name, str) or not isinstance(path, str) or in_stdlib(path):
        return ""
    package = name.split(".")[0]
    return "" if package in _THROUGH_PYTHON and not name.startswith(_BY_ITSELF) else package


def brought_by_users(frame: types.FrameType | None, roots: Sequence[Path]) -> bool:
    """Whether the user's code, or what it imported, loads this."""
    while frame is not None:
        name = frame.f_code.co_filename
        if is_users_frame(frame, roots):
            return True
        if name.startswith(OURS) or set(Path(name).parts) & _THROUGH_PYTHON:
            return False
        frame = frame.f_back
    return False


def asked_by_users(
    frame: types.FrameType | None, roots: Sequence[Path], *, but: tuple[str, ...] = ()
) -> bool:
    """Whether the user's code asked for this, by way of whatever library that is not in `but`."""
    while frame is not None:
        name = frame.f_code.co_filename
        if is_users_frame(frame, roots):
            return True
        if "importlib" in name or name.startswith(OURS) or set(Path(name).parts) & set(but):
            return False
        frame = frame.f_back
    return False


def is_users_frame(frame: types.FrameType, roots: Sequence[Path]) -> bool:
    name = frame.f_code.co_filename
    below = any(name.startswith(f"{root}{os.sep}") for root in roots)
    return below and is_users(Path(name), roots)


def access(arguments: tuple[Any, ...]) -> tuple[bool, bool]:
    """Whether an event `open` is of a file to be read, and whether of one to be written to."""
    _, mode, flags = arguments
    if isinstance(mode, str):
        writes = bool({"w", "a", "x", "+"} & set(mode))
        return "r" in mode or {"a", "+"} <= set(mode) or not writes, writes
    way = flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR)
    reads = way != os.O_WRONLY and not flags & (os.O_TRUNC | os.O_EXCL)  # nothing there to read
    return reads, way != os.O_RDONLY or bool(flags & (os.O_CREAT | os.O_TRUNC))
