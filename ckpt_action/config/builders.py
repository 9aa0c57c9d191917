"""Code of a repository that builds models, for a first `model-export.toml`: read, never run."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ckpt_action.config.definitions import call_problems
from ckpt_action.config.survey import walk

_BUILDER = re.compile(
    r"(build|create|make|get|define|construct)"
    r"(_?(the|a|my|keras|tf))?(_?(model|network|net|module|classifier|generator))?"
)
_MODEL_CALLS = frozenset({"Model", "Sequential", "Functional"})
_MODEL_BASES = frozenset({"Model", "Module", "Sequential"})


@dataclass(frozen=True, kw_only=True)
class Builder:
    """A function or class that can be called without arguments and seems to return a model."""

    file: Path
    """Relative to the folder searched."""
    root: Path
    """The folder, relative to the folder searched, from which Python imports it."""
    module: str
    attribute: str
    certainty: int
    """Of several the one with the highest is meant."""

    def __str__(self) -> str:
        return f"{self.module}:{self.attribute}"


def find_builders(folder: Path) -> tuple[Builder, ...]:
    """Everything below `folder` that seems to build a model, the most certain first."""
    found = [
        builder
        for path, names in walk(folder)
        for name in names
        if name.endswith(".py")
        for builder in _builders_in(path / name, folder)
    ]
    roots: dict[str, set[Path]] = {}
    for builder in found:
        roots.setdefault(builder.module, set()).add(builder.root)
    distinct = [_from_top(b) if len(roots[b.module]) > 1 else b for b in found]
    return tuple(sorted(distinct, key=lambda builder: (-builder.certainty, str(builder))))


def _from_top(builder: Builder) -> Builder:
    """Named from the folder searched, as its own root has a module of the same name as another."""
    parts = (*builder.root.parts, builder.module)
    if not all(part.isidentifier() for part in builder.root.parts):
        return builder
    return replace(builder, root=Path(), module=".".join(parts))


def _builders_in(file: Path, folder: Path) -> Iterator[Builder]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(folder.joinpath(file).read_bytes())
    except (OSError, ValueError, SyntaxError, RecursionError):
        return
    root = file.parent
    while folder.joinpath(root, "__init__.py").is_file() and root != Path():
        root = root.parent
    parts = file.relative_to(root).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    if not parts or not all(part.isidentifier() for part in parts):
        return
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    models = {node.name for node in classes if any(_last(b) in _MODEL_BASES for b in node.bases)}
    for node in tree.body:
        certainty = _certainty(node, models)
        if certainty and isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield Builder(
                file=file,
                root=root,
                module=".".join(parts),
                attribute=node.name,
                certainty=certainty,
            )


def _certainty(node: ast.stmt, models: set[str]) -> int:
    """How surely calling `node` without arguments gives a model; 0 is not at all."""
    if isinstance(node, ast.ClassDef):
        return 1 if node.name in models and not any(call_problems(node, ())) else 0
    if not isinstance(node, ast.FunctionDef) or any(call_problems(node, ())):
        return 0
    named = _BUILDER.fullmatch(node.name) is not None
    return 2 * _returns_model(node, models) + named + (named and "model" in node.name)


def _returns_model(function: ast.FunctionDef, models: set[str]) -> bool:
    """Whether it returns a call of `Sequential(...)`, `Model(...)`, a model class of the module, or
    a name that was assigned one."""
    calls = _MODEL_CALLS | models
    assigned = {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and _last(node.value) in calls
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return any(
        _last(node.value) in calls
        or (isinstance(node.value, ast.Name) and node.value.id in assigned)
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and node.value is not None
    )


def _last(node: ast.expr) -> str:
    """`Model` of `keras.Model` and of `keras.Model(...)`."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
