"""Entry points checked by reading their files: nothing is imported or run."""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

from ckpt_action.config.build import entry_point
from ckpt_action.config.definitions import Definitions, call_problems, definitions
from ckpt_action.config.findings import Finding
from ckpt_action.config.places import Places
from ckpt_action.config.records import EntryPoint
from ckpt_action.config.tables import ModelTable
from ckpt_action.config.wording import KeyPath, did_you_mean, value_text
from ckpt_action.errors import Severity, Where

_FRAMEWORKS = frozenset({"tensorflow", "keras", "tf_keras"})
"""Installed wherever an export runs, though perhaps not where it is validated."""


def import_findings(
    model: ModelTable, python_path: Sequence[Path], places: Places
) -> Iterator[Finding]:
    """What keeps the entry point from being called, and modules of `import` from being found, as
    far as the source files tell."""
    for index, module in enumerate(model.get("import", ())):
        if not _find(module, python_path) and _is_below(module, python_path):
            yield _no_module(module, model.at("import", index), python_path, places)
    entry = entry_point(model)
    if entry is None:
        return
    files = _find(entry.module, python_path)
    if len(files) > 1:
        yield Finding(
            path=model.at("entry-point"),
            severity=Severity.WARNING,
            message=f"There are {len(files)} modules `{entry.module}` below `python-path`; "
            f"{places.shown(files[0])} is taken.",
            hint="Name it from a folder where there is only one.",
        )
    if files and files[0].suffix == ".py":  # a compiled one shows nothing
        yield from _file_findings(model, entry, files[0], places)
    elif not files and (_is_below(entry.module, python_path) or not _is_installed(entry.module)):
        yield _no_module(entry.module, model.at("entry-point"), python_path, places)


def _file_findings(
    model: ModelTable, entry: EntryPoint, file: Path, places: Places
) -> Iterator[Finding]:
    path = model.at("entry-point")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(file.read_bytes(), filename=str(file))
    except SyntaxError as error:
        where = Where(file=_shown(file), line=error.lineno, column=error.offset)
        message = f"The file of the entry point `{entry}` is not valid Python: {error.msg}."
        yield Finding(path=path, message=message, where=where)
    except (OSError, ValueError, RecursionError) as error:
        yield Finding(path=path, message=f"The entry point's file cannot be read: {error}.")
    else:
        shown = places.shown(file)
        yield from _definition_findings(model, entry, definitions(tree), shown)


def _shown(file: Path) -> str:
    """As the user would name it from the working directory."""
    here = Path.cwd()
    return (file.relative_to(here) if here in file.parents else file).as_posix()


def _definition_findings(
    model: ModelTable, entry: EntryPoint, defined: Definitions, file: str
) -> Iterator[Finding]:
    name = entry.attribute.partition(".")[0]
    if name not in defined.nodes:
        if not defined.open_ended:
            yield Finding(
                path=model.at("entry-point"),
                message=f"`{file}` does not define `{name}`.",
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


def _no_module(module: str, path: KeyPath, python_path: Sequence[Path], places: Places) -> Finding:
    searched = ", ".join(
        "this file's folder" if folder == places.folder else f"`{places.shown(folder)}`"
        for folder in python_path
    )
    return Finding(
        path=path,
        message=f"There is no module `{module}` below {searched}.",
        hint=_forgotten(module, python_path, places)
        or _nearest(module, python_path)
        or "Add the folder it lies in to `python-path` of `[export]`.",
    )


def _forgotten(module: str, python_path: Sequence[Path], places: Places) -> str:
    """The line that finds `module` in the one folder below this file that has it."""
    file = "/".join(module.split("."))
    patterns = [f"{up}{file}{end}" for up in ("*/", "*/*/") for end in (".py", "/__init__.py")]
    ups = len(module.split("."))
    folders = {
        found.parents[ups - 1 + found.name.startswith("__init__.")]
        for pattern in patterns
        for found in places.folder.glob(pattern)
    }
    folders = {folder for folder in folders if _may_be_on_the_path(folder, places)}
    if len(folders) != 1:
        return ""
    shown = places.shown(folders.pop())
    kept = [places.shown(folder) for folder in python_path if folder != places.folder]
    line = f"python-path = [{', '.join(map(value_text, (*kept, shown)))}]"
    return f"It lies in `{shown}`: write `{line}` in `[export]`."


def _may_be_on_the_path(folder: Path, places: Places) -> bool:
    """No package, nothing hidden, no virtual environment."""
    around = (folder, *folder.parents)[: len(folder.relative_to(places.folder).parts)]
    return not (folder / "__init__.py").exists() and not any(
        one.name.startswith(".") or (one / "pyvenv.cfg").exists() for one in around
    )


def _nearest(module: str, python_path: Sequence[Path]) -> str:
    """`Did you mean ...?` with the first part of `module` that is not there replaced."""
    parts = module.split(".")
    for index, part in enumerate(parts):
        folders = [folder.joinpath(*parts[:index]) for folder in python_path]
        there = sorted({name for folder in folders for name in _modules(folder)})
        if part not in there:
            whole = {".".join([*parts[:index], name, *parts[index + 1 :]]) for name in there}
            return did_you_mean(module, sorted(whole))
    return ""


def _find(module: str, python_path: Sequence[Path]) -> list[Path]:
    """The file of `module` in each folder that has it; Python takes the first."""
    return [file for folder in python_path for file in _files(module, folder)]


def _files(module: str, folder: Path) -> Iterator[Path]:
    base = folder.joinpath(*module.split("."))
    plain = [base / "__init__.py", base.with_name(f"{base.name}.py")]
    compiled = [file for end in ("so", "pyd") for file in base.parent.glob(f"{base.name}.*{end}")]
    yield from [file for file in (*plain, *compiled) if file.is_file()][:1]


def _is_below(module: str, python_path: Sequence[Path]) -> bool:
    """The package of `module` lies below `python_path`, so that the rest has to lie there too."""
    top = module.partition(".")[0]
    return any(
        folder.joinpath(top).is_dir() or folder.joinpath(f"{top}.py").is_file()
        for folder in python_path
    )


def _is_installed(module: str) -> bool:
    top = module.partition(".")[0]
    # `python -m` puts the working directory on the path, which an export does not.
    path = [entry for entry in sys.path if entry and Path(entry) != Path.cwd()]
    return top in _FRAMEWORKS or PathFinder.find_spec(top, path) is not None


def _modules(folder: Path) -> Iterator[str]:
    if folder.is_dir():
        for item in folder.iterdir():
            if item.suffix == ".py" and item.stem.isidentifier():
                yield item.stem
            elif item.is_dir() and item.name.isidentifier():
                yield item.name
