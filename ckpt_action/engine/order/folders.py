"""Lists of files in another order, where the user's code asks for them."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import tensorflow as tf

from ckpt_action.engine.user_code import in_stdlib


@contextmanager
def turned_folders(files: Collection[str], note: Callable[[str, int], None]) -> Iterator[None]:
    """Inside, the code in `files` gets what is in a folder in another order; `note` hears where."""
    gfile: Any = tf.io.gfile
    listers = [(os, "listdir", list), (os, "scandir", _Entries)]
    listers += [(gfile, "listdir", list), (gfile, "glob", list)]
    originals = [(owner, name, getattr(owner, name), given) for owner, name, given in listers]

    def turned(original: Callable[..., Any], given: Callable[[Any], Any]) -> Callable[..., Any]:
        def lists(*arguments: Any, **options: Any) -> Any:
            found = original(*arguments, **options)
            place = _users_place(sys._getframe(1), files)  # noqa: SLF001
            if place is None:
                return found
            entries = list(found)
            if len(entries) > 1:
                note(*place)
            return given(entries[::-1])

        return lists

    for owner, name, original, given in originals:
        setattr(owner, name, turned(original, given))
    try:
        yield
    finally:
        for owner, name, original, _ in originals:
            setattr(owner, name, original)


class _Entries(AbstractContextManager[Iterator[Any]]):
    """As `os.scandir` gives them."""

    def __init__(self, entries: list[os.DirEntry[Any]]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[os.DirEntry[Any]]:
        return self._entries

    def __next__(self) -> os.DirEntry[Any]:
        return next(self._entries)

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._entries = iter(())


def _users_place(frame: types.FrameType | None, files: Collection[str]) -> tuple[str, int] | None:
    """Where the user's code asks, by itself or by way of Python's own modules."""
    while frame is not None:
        name = frame.f_code.co_filename
        if os.path.realpath(name) in files:
            return name, frame.f_lineno
        if not name.startswith("<frozen ") and not in_stdlib(name):
            return None
        frame = frame.f_back
    return None
