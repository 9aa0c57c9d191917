"""The user's code is given sets, and lists of files, in another order.

Python orders a set of text otherwise in each process, and a file system the files of a folder as it
likes. So code has to make the same model of any order; whether it does is seen where it is turned.
"""

from __future__ import annotations

import linecache
import os
import re
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from typing import Any

import tensorflow as tf

from ckpt_action.engine.order.folders import turned_folders
from ckpt_action.engine.order.sets import TURNED, order_is_asked, parsed, turned_text
from ckpt_action.errors import Where

_LISTS = re.compile(r"\b(listdir|scandir|iterdir|r?glob|iglob|walk)\b")


class Orders:
    """What may come in another order in the user's `sources`."""

    def __init__(self, sources: Sequence[Path]) -> None:
        texts = {str(file): file.read_text("utf-8", "replace") for file in sources}
        trees = parsed(texts)
        self._files = frozenset(texts)
        self._texts: Mapping[str, str] = {}
        if order_is_asked(trees.values()):
            self._texts = {name: turned_text(texts[name], tree) for name, tree in trees.items()}
        self._lists = any(map(_LISTS.search, texts.values()))

    def asked(self) -> bool:
        return bool(self._texts) or self._lists

    @contextmanager
    def turned(self) -> Iterator[list[Where]]:
        """Inside, modules that are imported take the other order; where they did is in the list."""
        places: list[Where] = []

        def note(file: str, line: int) -> None:
            place = Where(file=file, line=line)
            if place not in places:
                places.append(place)

        with ExitStack() as stack:
            if self._texts:
                stack.enter_context(_turned_sets(self._texts, note))
            if self._lists:
                stack.enter_context(turned_folders(self._files, note))
            yield places


@contextmanager
def _turned_sets(texts: Mapping[str, str], note: Callable[[str, int], None]) -> Iterator[None]:
    finder = _Finder(texts, note)
    sys.meta_path.insert(0, finder)
    original = linecache.updatecache

    def updated(filename: str, module_globals: Any = None) -> list[str]:
        """AutoGraph reads source text, each time anew."""
        lines = finder.found.get(filename)
        return original(filename, module_globals) if lines is None else lines

    for name in texts:
        linecache.cache.pop(name, None)
    linecache.updatecache = updated
    try:
        yield
    finally:
        linecache.updatecache = original
        sys.meta_path.remove(finder)


class _Finder(MetaPathFinder):
    def __init__(self, texts: Mapping[str, str], note: Callable[[str, int], None]) -> None:
        self.found: dict[str, list[str]] = {}
        """Lines by the names of files."""
        self._texts = texts
        self._note = note

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or not isinstance(spec.loader, SourceFileLoader) or not spec.origin:
            return None
        text = self._texts.get(os.path.realpath(spec.origin))
        if text is None:
            return None
        spec.loader = _Loader(fullname, spec.origin, text, self._note)
        self.found[spec.origin] = text.splitlines(keepends=True)
        return spec


class _Loader(SourceFileLoader):
    """Of other text than the file has, which Python keeps no compiled form of."""

    def __init__(
        self, fullname: str, path: str, text: str, note: Callable[[str, int], None]
    ) -> None:
        super().__init__(fullname, path)
        self._text = text
        self._note = note

    def get_code(self, fullname: str) -> types.CodeType:  # noqa: ARG002
        code: types.CodeType = compile(self._text, self.path, "exec", dont_inherit=True)
        return code

    def exec_module(self, module: types.ModuleType) -> None:
        vars(module)[TURNED] = self._turned
        super().exec_module(module)

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def _turned(self, value: Any, line: int) -> Any:
        """Numbers have the same order in every process."""
        if not isinstance(value, (set, frozenset)) or len(value) < 2:
            return value
        if all(isinstance(one, (int, float)) for one in value):
            return value
        self._note(str(self.path), line)
        return list(value)[::-1]
