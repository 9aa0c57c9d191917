"""Modules that configurations name: where they are, and where else they may be. Nothing is
imported."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

from ckpt_action.config.findings import Finding
from ckpt_action.config.places import Places
from ckpt_action.config.wording import KeyPath, did_you_mean, value_text
from ckpt_action.repository import other_bases, path_from

_FRAMEWORKS = frozenset({"tensorflow", "keras", "tf_keras"})
"""Installed wherever an export runs, though perhaps not where it is validated."""


def missing_module(module: str, python_path: Sequence[Path], places: Places) -> Finding | None:
    """What to say of a module that no import would find; None where it is there."""
    if find_module(module, python_path):
        return None
    if is_below(module, python_path) or not is_installed(module):
        return no_module(module, (), python_path, places)
    return None


def no_module(module: str, path: KeyPath, python_path: Sequence[Path], places: Places) -> Finding:
    searched = ", ".join(
        "this file's folder" if folder == places.folder else f"`{places.shown(folder)}`"
        for folder in python_path
    )
    return Finding(
        path=path,
        message=f"There is no module `{module}` below {searched}.",
        hint=_without_ending(module, python_path)
        or _with_root(module, python_path, places)
        or _forgotten(module, python_path, places)
        or _nearest(module, python_path)
        or "Add the folder it lies in to `python-path` of `[export]`.",
    )


def _without_ending(module: str, python_path: Sequence[Path]) -> str:
    """About `net.py`, which would be the module `py` of a package `net`."""
    name = module.removesuffix(".py")
    there = name != module and find_module(name, python_path)
    return f"A module is named without `.py`: write `{name}`." if there else ""


def _with_root(module: str, python_path: Sequence[Path], places: Places) -> str:
    """About `src.net`, where modules are named from `src`."""
    for folder in python_path:
        if folder != places.folder and folder.is_relative_to(places.folder):
            root = path_from(places.folder, folder)
            inner = module.removeprefix(f"{root.replace('/', '.')}.")
            if inner != module and find_module(inner, [folder]):
                return f"Modules are named from `{root}`: write `{inner}`."
    return ""


def _forgotten(module: str, python_path: Sequence[Path], places: Places) -> str:
    """The line that finds `module`."""
    found = folder_of(module, places)
    if found is None:
        return ""
    shown = path_from(places.folder, found)
    kept = [path_from(places.folder, folder) for folder in python_path if folder != places.folder]
    line = f"python-path = [{', '.join(map(value_text, (*kept, shown)))}]"
    where = "this file's folder" if found == places.folder else f"`{shown}`"
    return f"It lies in {where}: write `{line}` in `[export]`."


def folder_of(module: str, places: Places) -> Path | None:
    """The one folder below that of the file, or around it, that has `module`."""
    file = "/".join(module.split("."))
    patterns = [f"{up}{file}{end}" for up in ("*/", "*/*/") for end in (".py", "/__init__.py")]
    ups = len(module.split("."))
    folders = {
        found.parents[ups - 1 + found.name.startswith("__init__.")]
        for pattern in patterns
        for found in places.folder.glob(pattern)
    }
    bases = (places.folder, *other_bases(places.folder))
    folders |= {base for base in bases if any(_files(module, base))}
    folders = {folder for folder in folders if _may_be_on_the_path(folder, places)}
    return folders.pop() if len(folders) == 1 else None


def _may_be_on_the_path(folder: Path, places: Places) -> bool:
    """No package, nothing hidden, no virtual environment."""
    below = folder.is_relative_to(places.folder)
    depth = len(folder.relative_to(places.folder).parts) if below else 0
    around = (folder, *folder.parents)[:depth]
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


def find_module(module: str, python_path: Sequence[Path]) -> list[Path]:
    """The file of `module` in each folder that has it; Python takes the first."""
    return [file for folder in python_path for file in _files(module, folder)]


def _files(module: str, folder: Path) -> Iterator[Path]:
    base = folder.joinpath(*module.split("."))
    plain = [base / "__init__.py", base.with_name(f"{base.name}.py")]
    compiled = [file for end in ("so", "pyd") for file in base.parent.glob(f"{base.name}.*{end}")]
    yield from [file for file in (*plain, *compiled) if file.is_file()][:1]


def is_below(module: str, python_path: Sequence[Path]) -> bool:
    """The package of `module` lies below `python_path`, so that the rest has to lie there too."""
    top = module.partition(".")[0]
    return any(
        folder.joinpath(top).is_dir() or folder.joinpath(f"{top}.py").is_file()
        for folder in python_path
    )


def is_installed(module: str) -> bool:
    """In this Python, or wherever an export runs."""
    top = module.partition(".")[0]
    # `python -m` puts the working directory on the path, which an export does not.
    path = [entry for entry in sys.path if entry and Path(entry) != Path.cwd()]
    return top in _FRAMEWORKS or PathFinder.find_spec(top, path) is not None


def exports_here() -> bool:
    """Whether an export may run in this Python, so that it has what the code imports."""
    return PathFinder.find_spec("tensorflow") is not None


def _modules(folder: Path) -> Iterator[str]:
    if folder.is_dir():
        for item in folder.iterdir():
            if item.suffix == ".py" and item.stem.isidentifier():
                yield item.stem
            elif item.is_dir() and item.name.isidentifier():
                yield item.name
