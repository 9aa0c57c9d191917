"""Code that a model names, checked by reading its files: nothing is imported or run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ckpt_action.config.build import entry_point
from ckpt_action.config.definitions import Definitions, call_problems, definitions
from ckpt_action.config.findings import Finding
from ckpt_action.config.modules import (
    exports_here,
    find_module,
    is_below,
    missing_module,
)
from ckpt_action.config.places import Places
from ckpt_action.config.records import EntryPoint
from ckpt_action.config.tables import ModelTable
from ckpt_action.config.trains import training_calls
from ckpt_action.config.wording import KeyPath, did_you_mean
from ckpt_action.errors import Severity, Where


@dataclass(frozen=True, kw_only=True)
class _Code:
    """A callable that the configuration names."""

    entry: EntryPoint
    what: str
    path: KeyPath
    arguments: KeyPath


def import_findings(
    model: ModelTable, python_path: Sequence[Path], places: Places
) -> Iterator[Finding]:
    """What keeps the entry point and representative data from being called, and modules of `import`
    from being found, as far as the source files tell."""
    for index, module in enumerate(model.get("import", ())):
        yield from _import(module, model.at("import", index), python_path, places)
    arguments = model.at("arguments")
    if entry := entry_point(model):
        path = model.at("entry-point")
        code = _Code(entry=entry, what="entry point", path=path, arguments=arguments)
        yield from _code_findings(code, python_path, places)
    for index, target in enumerate(model.get("targets", ())):
        if isinstance(target, dict) and "representative-data" in target:
            module, _, attribute = target["representative-data"].partition(":")
            code = _Code(
                entry=EntryPoint(module=module, attribute=attribute),
                what="representative data",
                path=model.at("targets", index, "representative-data"),
                arguments=arguments,
            )
            yield from _code_findings(code, python_path, places)


def _import(
    module: str, path: KeyPath, python_path: Sequence[Path], places: Places
) -> Iterator[Finding]:
    """A package may be installed where the export runs and not where it is validated."""
    missing = missing_module(module, python_path, places)
    if missing and is_below(module, python_path):
        yield replace(missing, path=path)
    elif missing and exports_here():
        message = f"{missing.message.rstrip('.')}, and this Python has none installed."
        yield replace(missing, path=path, message=message, severity=Severity.WARNING)


def _code_findings(code: _Code, python_path: Sequence[Path], places: Places) -> Iterator[Finding]:
    module = code.entry.module
    files = find_module(module, python_path)
    if len(files) > 1:
        yield Finding(
            path=code.path,
            severity=Severity.WARNING,
            message=f"There are {len(files)} modules `{module}` below `python-path`; "
            f"{places.shown(files[0])} is taken.",
            hint="Name it from a folder where there is only one.",
        )
    if files and files[0].suffix == ".py":  # a compiled one shows nothing
        yield from _file_findings(code, files[0], places)
    elif missing := missing_module(module, python_path, places):
        yield replace(missing, path=code.path)


def _file_findings(code: _Code, file: Path, places: Places) -> Iterator[Finding]:
    what = f"The file of the {code.what} `{code.entry}`"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(file.read_bytes(), filename=str(file))
    except SyntaxError as error:
        where = Where(file=_shown(file), line=error.lineno, column=error.offset)
        message = f"{what} is not valid Python: {error.msg}."
        yield Finding(path=code.path, message=message, where=where)
    except (OSError, ValueError, RecursionError) as error:
        yield Finding(path=code.path, message=f"{what} cannot be read: {error}.")
    else:
        yield from _training_findings(code.path, tree, file)
        yield from _definition_findings(code, definitions(tree), places.shown(file))


def _training_findings(path: KeyPath, tree: ast.Module, file: Path) -> Iterator[Finding]:
    """One for all of them: whoever trains saves too."""
    calls = list(training_calls(tree))
    if calls:
        call, line = calls[0]
        others = f", and {len(calls) - 1} more" if calls[1:] else ""
        yield Finding(
            path=path,
            severity=Severity.WARNING,
            message=f"`{call}` is called outside of any function{others}: importing it trains.",
            hint='Move it under `if __name__ == "__main__":`, or name a module that only builds '
            "the model.",
            where=Where(file=_shown(file), line=line),
        )


def _shown(file: Path) -> str:
    """As the user would name it from the working directory."""
    here = Path.cwd()
    return (file.relative_to(here) if here in file.parents else file).as_posix()


def _definition_findings(code: _Code, defined: Definitions, file: str) -> Iterator[Finding]:
    entry = code.entry
    name = entry.attribute.partition(".")[0]
    if name not in defined.nodes:
        if not defined.open_ended:
            yield Finding(
                path=code.path,
                message=f"`{file}` does not define `{name}`.",
                hint=did_you_mean(name, defined.nodes) or _callables(defined),
            )
        return
    if kind := defined.values.get(name):
        message = f"`{entry.module}:{name}` is {kind}, not a function or a class."
        yield Finding(path=code.path, message=message, hint=_callables(defined))
        return
    node = defined.nodes[name]
    if node is None or "." in entry.attribute:
        return
    for argument, message, hint in call_problems(node, tuple(entry.arguments)):
        given = argument in entry.arguments
        yield Finding(
            path=(*code.arguments, argument) if given else code.path,
            at_key=given,
            message=f"`{entry}` {message}",
            hint=hint if code.what == "entry point" else "It is called without arguments.",
        )


def _callables(defined: Definitions) -> str:
    names = [name for name, node in defined.nodes.items() if node and not name.startswith("_")]
    return f"It defines {', '.join(f'`{name}`' for name in names)}." if names else ""
