"""What a method calls the members of the list that it is given."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any


def taken_apart(method: Any, parameter: str) -> tuple[str, ...]:
    """The names in `first, second = parameter`; empty where the code of `method` says that
    nowhere, in several orders, or of something else that it made `parameter`."""
    nodes = list(ast.walk(_code(method)))
    if any(isinstance(n, ast.Name) and n.id == parameter and _stores(n) for n in nodes):
        return ()
    found = {
        tuple(name.id for name in place.elts if isinstance(name, ast.Name))
        for node in nodes
        if isinstance(node, ast.Assign) and getattr(node.value, "id", None) == parameter
        for place in node.targets
        if isinstance(place, (ast.Tuple, ast.List))
        and all(isinstance(name, ast.Name) for name in place.elts)
    }
    return found.pop() if len(found) == 1 else ()


def _stores(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _code(method: Any) -> ast.AST:
    method = getattr(method, "python_function", method)  # of a `tf.function`
    if not inspect.isroutine(method):
        method = type(method).__call__
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(method))))
    except (OSError, TypeError, SyntaxError):
        return ast.Module(body=[], type_ignores=[])
