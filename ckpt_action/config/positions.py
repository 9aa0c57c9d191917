"""Line and column of every key and value of a TOML file, from tree-sitter's syntax tree."""

from __future__ import annotations

from collections.abc import Iterator

import tomli
import tree_sitter_toml
from tree_sitter import Language, Node, Parser

from ckpt_action.config.wording import KeyPath, key_path_text

Place = tuple[int, int]
"""Line and column from 1; columns count characters."""

_KEYS = ("bare_key", "quoted_key", "dotted_key")


class Positions:
    """Where keys and values stand; tables that only a longer header implies stand at that header.

    Keys and values of arrays of tables are counted as TOML counts them: `[[a]]` opens `a[0]`,
    `a[1]`, ..., and `[a.b]` belongs to the last of them.
    """

    def __init__(self, source: str) -> None:
        encoded = source.encode("utf-8")
        self._lines = encoded.split(b"\n")
        self._keys: dict[KeyPath, Place] = {}
        self._values: dict[KeyPath, Place] = {}
        self._lengths: dict[KeyPath, int] = {}
        tree = Parser(Language(tree_sitter_toml.language())).parse(encoded)
        for node in tree.root_node.named_children:
            if node.type == "pair":
                self._add_pair((), node)
            elif node.type in ("table", "table_array_element"):
                self._add_table(node)

    def find(self, path: KeyPath, *, at_key: bool = False) -> Place:
        """The place of `path`, or of the nearest table around it."""
        known = self._keys if at_key else self._values
        if path in known:
            return known[path]
        while path:
            path = path[:-1]
            if path in self._values:
                return self._values[path]
        return 1, 1

    def named(self, key_path: str) -> Place:
        """The place of a path as people write it, or of the nearest table around it."""
        texts = {key_path_text(path): place for path, place in self._values.items()}
        while key_path and key_path not in texts:
            key_path = key_path[: max(key_path.rfind("."), key_path.rfind("["), 0)]
        return texts.get(key_path, (1, 1))

    def _add_table(self, node: Node) -> None:
        head = next(child for child in node.named_children if child.type in _KEYS)
        names = list(_names(head))
        base: KeyPath = ()
        for name, key in names[:-1]:
            base = self._last((*base, name))
            self._add(base, key)
        name, key = names[-1]
        path = (*base, name)
        if node.type == "table_array_element":
            self._keys.setdefault(path, self._place(key))
            self._values.setdefault(path, self._place(key))
            number = self._lengths[path] = self._lengths.get(path, 0) + 1
            path = (*path, number - 1)
        else:
            path = self._last(path)
        self._keys[path] = self._values[path] = self._place(key)
        for child in node.named_children:
            if child.type == "pair":
                self._add_pair(path, child)

    def _last(self, path: KeyPath) -> KeyPath:
        """`path`, or its last element where it is an array of tables."""
        return (*path, self._lengths[path] - 1) if path in self._lengths else path

    def _add_pair(self, path: KeyPath, pair: Node) -> None:
        parts = [child for child in pair.named_children if child.type != "comment"]
        if len(parts) != 2:
            return
        for name, key in _names(parts[0]):
            path = (*path, name)
            self._add(path, key)
        self._values.pop(path, None)
        self._add_value(path, parts[1])

    def _add_value(self, path: KeyPath, node: Node) -> None:
        self._values.setdefault(path, self._place(node))
        children = [child for child in node.named_children if child.type != "comment"]
        if node.type == "array":
            for index, child in enumerate(children):
                self._add_value((*path, index), child)
        elif node.type == "inline_table":
            for child in children:
                if child.type == "pair":
                    self._add_pair(path, child)

    def _add(self, path: KeyPath, node: Node) -> None:
        self._keys.setdefault(path, self._place(node))
        self._values.setdefault(path, self._place(node))

    def _place(self, node: Node) -> Place:
        row, column = node.start_point
        return row + 1, len(self._lines[row][:column].decode("utf-8", "replace")) + 1


def _names(node: Node) -> Iterator[tuple[str, Node]]:
    """The parts of a bare, quoted or dotted key."""
    if node.type == "dotted_key":
        for child in node.named_children:
            yield from _names(child)
        return
    text = (node.text or b"").decode("utf-8", "replace")
    if node.type == "quoted_key":
        text = next(iter(tomli.loads(f"{text}=0")))
    yield text, node
