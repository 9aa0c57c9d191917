"""Entry points checked by reading their files: nothing is imported or run."""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from ckpt_action.config.definitions import Definitions, call_problems, definitions
from ckpt_action.config.findings import Finding, KeyPath, did_you_mean
from ckpt_action.config.places import Places
from ckpt_action.config.records import EntryPoint
from ckpt_action.config.tables import ModelTable
from ckpt_action.errors import Where

_FRAMEWORKS = frozenset({"tensorflow", "keras", "tf_keras"})
"""Installed wherever an export runs, though perhaps not where it is validated."""


def entry_point_findings(
    model: ModelTable, entry: EntryPoint, python_path: Sequence[Path], places: Places
) -> Iterator[Finding]:
    """What keeps `entry` from being called, as far as its source file tells."""
    path = model.at("entry-point")
    top = entry.module.partition(".")[0]
    file = _find(entry.module, python_path)
    if file is None:
        if _is_below(top, python_path) or not _is_installed(top):
            yield _no_module(entry.module, path, python_path, places)
        return
    if file.suffix != ".py":
        return  # compiled: only importing it would tell
    shown = os.path.relpath(file, Path.cwd())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(file.read_bytes(), filename=shown)
    except SyntaxError as error:
        where = Where(file=Path(shown).as_posix(), line=error.lineno, column=error.offset)
        message = f"The entry point's file is not valid Python: {error.msg}."
        yield Finding(path=path, message=message, where=where)
        return
    except (OSError, ValueError, RecursionError) as error:
        yield Finding(path=path, message=f"The entry point's file cannot be read: {error}.")
        return
    yield from _in_file(model, entry, definitions(tree), file.relative_to(places.repository))


def _in_file(
    model: ModelTable, entry: EntryPoint, defined: Definitions, file: Path
) -> Iterator[Finding]:
    name = entry.attribute.partition(".")[0]
    if name not in defined.nodes:
        if not defined.open_ended:
            yield Finding(
                path=model.at("entry-point"),
                message=f"`{file.as_posix()}` does not define `{name}`.",
                hint=did_you_mean(name, defined.nodes) or _callables(defined),
            )
        return
    node = defined.nodes[name]
    if node is None or "." in entry.attribute:
        return
    for argument, message, hint in call_problems(node, tuple(entry.arguments)):
        given = argument in entry.arguments
        where = model.at("arguments", argument) if given else model.at("entry-point")
        yield Finding(path=where, at_key=given, message=f"`{entry}` {message}", hint=hint)


def _callables(defined: Definitions) -> str:
    names = [name for name, node in defined.nodes.items() if node and not name.startswith("_")]
    return f"It defines {', '.join(f'`{name}`' for name in names)}." if names else ""


def _no_module(
    module: str, path: KeyPath, python_path: Sequence[Path], places: Places
) -> Finding:
    parent, _, last = module.rpartition(".")
    folders = [folder / parent.replace(".", "/") for folder in python_path]
    near = did_you_mean(last, sorted({name for folder in folders for name in _modules(folder)}))
    searched = ", ".join(
        f"`{Path(os.path.relpath(folder, places.folder)).as_posix()}`" for folder in python_path
    )
    return Finding(
        path=path,
        message=f"There is no module `{module}` below {searched}.",
        hint=near or "Add the folder it lies in to `python-path` of `[export]`.",
    )


def _find(module: str, python_path: Sequence[Path]) -> Path | None:
    for folder in python_path:
        base = folder.joinpath(*module.split("."))
        for candidate in (base / "__init__.py", base.with_name(f"{base.name}.py")):
            if candidate.is_file():
                return candidate
        for suffix in ("so", "pyd"):
            for compiled in base.parent.glob(f"{base.name}.*{suffix}"):
                return compiled
    return None


def _is_below(top: str, python_path: Sequence[Path]) -> bool:
    return any(
        folder.joinpath(top).is_dir() or folder.joinpath(f"{top}.py").is_file()
        for folder in python_path
    )


def _is_installed(top: str) -> bool:
    from importlib.machinery import PathFinder

    return top in _FRAMEWORKS or PathFinder.find_spec(top) is not None


def _modules(folder: Path) -> Iterator[str]:
    if folder.is_dir():
        for item in folder.iterdir():
            if item.suffix == ".py" and item.stem.isidentifier():
                yield item.stem
            elif item.is_dir() and item.name.isidentifier():
                yield item.name
