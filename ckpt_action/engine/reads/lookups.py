"""What the user's code asks of paths without opening them: whether there is a file, or a link."""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ckpt_action.engine.user_code import OURS, in_stdlib
from ckpt_action.trail import trail

_NATIVE = f"{OURS}engine{os.sep}reads{os.sep}native_reads.py"
_SETS = (
    os.supports_dir_fd,
    os.supports_effective_ids,
    os.supports_fd,
    os.supports_follow_symlinks,
)


class Lookups:
    """Below `bases`, as `counts` decides; the first answer to each question is kept."""

    def __init__(self, bases: Sequence[Path], counts: Callable[[str], bool]) -> None:
        self.found: dict[str, str] = {}
        """Absolute path to what is there, as `trail` gives it."""
        self.unrecorded: set[str] = set()
        self._bases = tuple({f"{b}{os.sep}" for root in bases for b in (root, root.resolve())})
        self._counts = counts
        self._asked: set[str] = set()

    def listen(self) -> None:
        """From now on, to Python's functions; who asks TensorFlow is heard of elsewhere."""
        for name in ("stat", "lstat", "access", "readlink"):
            self._wrap(name, self.ask)
        self._wrap("open", lambda _: None)

    def ask(self, name: str) -> None:
        """Keep what `name` leads to now."""
        path = os.path.join(os.getcwd(), name)  # noqa: PTH109, PTH118  `..` may follow a link
        plain = os.path.normpath(path)
        below = self._below(path) or self._below(plain)
        if path in self._asked or not below or not self._counts(plain):
            return
        self._asked.add(path)
        for place, what in trail(path).items():
            if not self._below(place):
                self.unrecorded.add(f"file {Path(place).name}")
            elif self._counts(place):
                self.found.setdefault(place, what)

    def _below(self, path: str) -> bool:
        return path.startswith(self._bases)

    def _wrap(self, name: str, hear: Callable[[str], None]) -> None:
        original = getattr(os, name)

        @functools.wraps(original)
        def asked(*given: Any, **options: Any) -> Any:
            path: Any = given[0] if given else options.get("path")
            named = isinstance(path, (str, bytes, os.PathLike))
            if named and not asked_by_us(sys._getframe(1)):  # noqa: SLF001
                text = os.fsdecode(path)
                if options.get("dir_fd") is None:
                    hear(text)
                elif not Path(text).is_absolute():
                    self.unrecorded.add(f"file {Path(text).name}")
            return original(*given, **options)

        for supported in _SETS:
            if original in supported:
                supported.add(asked)
        setattr(os, name, asked)


def asked_by_us(frame: types.FrameType | None, *, through: tuple[str, ...] = ()) -> bool:
    """Whether this package or a clean-up made the call: the first caller outside of Python's own
    modules and the packages `through`."""
    between = tuple(f"{sysconfig.get_path('purelib')}{os.sep}{name}{os.sep}" for name in through)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.endswith(f"{os.sep}shutil.py") and "rmtree" in frame.f_code.co_name:
            return True
        if not name.startswith(("<frozen ", *between, _NATIVE)) and not in_stdlib(name):
            return name.startswith(OURS)
        frame = frame.f_back
    return False
