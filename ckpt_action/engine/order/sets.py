"""Where source text takes the order of what may be a set, and the text that takes another one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

TURNED = "__other_order__"
"""What the text calls with a value and a line: it may give the value in another order."""
_TAKERS = frozenset(
    {
        *("list", "tuple", "enumerate", "iter", "zip", "map", "filter"),
        *("join", "fromkeys", "extend", "from_iterable", "deque", "OrderedDict"),
    }
)
_WITHOUT_ORDER = frozenset(
    {"sorted", "len", "min", "max", "sum", "any", "all", "bool", "set", "frozenset", "isinstance"}
)
_METHODS_WITHOUT_ORDER = frozenset(
    {"add", "update", "discard", "remove", "issubset", "issuperset", "isdisjoint", "clear"}
)
_MAY_BE_SETS = (ast.Name, ast.Attribute, ast.Call, ast.Set, ast.SetComp, ast.BinOp, ast.Subscript)


def order_is_asked(trees: Iterable[ast.AST]) -> bool:
    """Whether the sets that the code makes are used for more than their members."""
    trees = tuple(trees)
    parents = {
        child: node
        for tree in trees
        for node in ast.walk(tree)
        for child in ast.iter_child_nodes(node)
    }
    names: set[str] = set()
    for node, parent in parents.items():
        if not _makes_set(node) or _without_order(node, parent):
            continue
        targets = _targets(parent)
        if not targets or not all(map(_name, targets)):
            return True
        names |= set(map(_name, targets))
    return any(
        _name(node) in names and not _without_order(node, parent)
        for node, parent in parents.items()
        if isinstance(getattr(node, "ctx", None), ast.Load)
    )


def turned_text(text: str, tree: ast.AST) -> str:
    """`text` with a call around everything that may be a set whose order it takes. Every line stays
    where it is."""
    lines = [line.encode() for line in re.split(r"(?<=\n)", text)]
    edits = []
    for node in _taken(tree):
        if isinstance(node, _MAY_BE_SETS) and node.end_lineno and node.end_col_offset is not None:
            edits.append((node.lineno, node.col_offset, f"{TURNED}("))
            edits.append((node.end_lineno, node.end_col_offset, f", {node.lineno})"))
    # At one place what ends is closed before the next one begins.
    for line, column, inserted in sorted(set(edits), key=lambda e: (*e[:2], e[2][0] != ","))[::-1]:
        old = lines[line - 1]
        lines[line - 1] = old[:column] + inserted.encode() + old[column:]
    return b"".join(lines).decode()


def _taken(node: ast.AST) -> Iterator[ast.expr]:
    """What is gone through in its order; not in f-strings, of which Python tells wrong places."""
    if isinstance(node, ast.JoinedStr):
        return
    if isinstance(node, ast.Call) and _name(node.func) in _TAKERS:
        yield from (a for a in node.args if not isinstance(a, ast.Starred))
    elif isinstance(node, ast.Call) and _name(node.func) == "sorted" and node.keywords:
        yield from node.args[:1]
    elif isinstance(node, (ast.For, ast.comprehension)):
        yield node.iter
    elif isinstance(node, (ast.Starred, ast.YieldFrom)) and _is_read(node):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from _taken(child)


def _is_read(node: ast.Starred | ast.YieldFrom) -> bool:
    return isinstance(node, ast.YieldFrom) or isinstance(node.ctx, ast.Load)


def _makes_set(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return _name(node.func) in ("set", "frozenset")
    if isinstance(node, ast.BinOp):  # of keys of dicts
        sides = (node.left, node.right)
        return any(isinstance(s, ast.Call) and _name(s.func) == "keys" for s in sides)
    return isinstance(node, (ast.Set, ast.SetComp))


def _without_order(node: ast.AST, parent: ast.AST) -> bool:
    """Whether `parent` asks for no more than what is in the set."""
    if isinstance(parent, ast.Call):
        return _name(parent.func) in _WITHOUT_ORDER and not parent.keywords
    if isinstance(parent, ast.Attribute):
        return parent.attr in _METHODS_WITHOUT_ORDER
    return isinstance(parent, (ast.Compare, ast.Expr)) or (
        isinstance(parent, (ast.If, ast.While, ast.IfExp)) and parent.test is node
    )


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, (ast.AnnAssign, ast.NamedExpr)) else []


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def parsed(texts: Mapping[str, str]) -> dict[str, ast.AST]:
    """The syntax of every text by its name; of none that is not Python's."""
    trees: dict[str, ast.AST] = {}
    for name, text in texts.items():
        try:
            trees[name] = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
    return trees
