"""Code that gives words numbers in the order of a set.

Python orders a set of text otherwise in each process, so the numbers are not those of training.
Both builds of one process have the same, and comparing them shows nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from ckpt_action.errors import ExitCode, Problem, Where, warning

_TAKERS = frozenset({"list", "tuple", "enumerate", "iter", "zip", "map"})
_SETS = frozenset({"set", "frozenset"})


def places_of_sets(sources: Sequence[Path]) -> tuple[Where, ...]:
    """Where the order of a set is taken in the user's own files."""
    return tuple(place for file in sources for place in _in_file(file))


def in_words(places: Sequence[Where]) -> str:
    if not places:
        return ""
    return f"words get numbers in the order of a set ({Path(places[0].file).name}:{places[0].line})"


def set_order(places: Sequence[Where]) -> Problem:
    return warning(
        ExitCode.REBUILD,
        "the code takes the order of a set, and the model looks words up: in each process "
        "that order is another one, so words may have other numbers than in training.",
        where=places[0],
        hint="Keep the words in a file, in the order of training, or use `sorted(set(…))` there "
        "and here. If the set has nothing to do with words, declare `verify.golden`.",
        details=tuple(map(str, places)),
    )


def _in_file(file: Path) -> Iterator[Where]:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        for taken in filter(_is_set, _taken_in_order(node)):
            yield Where(file=str(file), line=taken.lineno, column=taken.col_offset + 1)


def _taken_in_order(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _TAKERS:
        return node.args
    if isinstance(node, ast.For):
        return [node.iter]
    if isinstance(node, (ast.ListComp, ast.DictComp)):
        return [each.iter for each in node.generators]
    return []


def _is_set(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in _SETS
    return isinstance(node, (ast.Set, ast.SetComp))
