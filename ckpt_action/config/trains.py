"""Calls that train or save where a module is imported, read from its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_METHODS = {"fit", "save", "save_weights"}
_ARRAYS = {"np", "numpy", "jnp", "plt"}
"""`np.save` saves no model."""
_CLOSED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def training_calls(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """(call, line) of what trains or saves a model outside of functions and classes and of
    `if __name__ == "__main__"`."""
    yield from _calls(tree)


def _calls(node: ast.AST) -> Iterator[tuple[str, int]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _CLOSED):
            continue
        if isinstance(child, ast.If) and _is_main_guard(child.test):
            for statement in child.orelse:
                yield from _calls(statement)
            continue
        if isinstance(child, ast.Call) and _trains(child.func):
            yield ast.unparse(child.func), child.lineno
        yield from _calls(child)


def _trains(called: ast.expr) -> bool:
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    if name == "CheckpointManager":
        return True
    if not isinstance(called, ast.Attribute) or name not in _METHODS:
        return False
    return not (isinstance(called.value, ast.Name) and called.value.id in _ARRAYS)


def _is_main_guard(test: ast.expr) -> bool:
    return any(isinstance(n, ast.Name) and n.id == "__name__" for n in ast.walk(test))
