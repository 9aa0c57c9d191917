"""What the user's own Python did: which files it loaded, and where in them it failed."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import traceback
from collections.abc import Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from ckpt_action.errors import Where

_FOLDER = Path(__file__).resolve().parents[1]
OURS = f"{_FOLDER}{os.sep}"
"""How the names of ckpt-action's own files begin."""
_STDLIB = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib"))
_PACKAGES = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
_FOREIGN_FOLDERS = frozenset({"site-packages", "dist-packages", ".venv", "venv", ".tox", ".nox"})

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
"""Keras writes messages for terminals."""
_OUR_LAYER = re.compile(
    r"Exception encountered when calling (layer '\w+' \(type )?InferenceMode\S+\s+"
)
"""How Keras begins the message of whatever fails inside the layer in which signatures are called
(`rebuild/calling.py`)."""
_CONVERTED = re.compile(r'File "([^"]+)", line (\d+), in (\S+)[^\n]*\n([^\n]*)')


def in_stdlib(name: str) -> bool:
    """Whether a file of this name is one of Python's own."""
    return name.startswith(_STDLIB) and not any(part in name for part in _PACKAGES)


def loaded_sources(roots: Sequence[Path]) -> tuple[Path, ...]:
    """Every `.py` file below `roots` that is loaded now, sorted, without installed packages."""
    files = {file for file in map(_file, loaded_modules(roots).values()) if file.endswith(".py")}
    return tuple(sorted({Path(file).resolve() for file in files}))


def loaded_modules(roots: Sequence[Path]) -> dict[str, Any]:
    """Every loaded module and namespace package below `roots`, without installed packages."""
    below = tuple({f"{base}{os.sep}" for root in roots for base in (root, root.resolve())})
    modules = {
        name: module
        for name, module in list(sys.modules.items())
        if f"{_file(module)}{os.sep}".startswith(below)
    }
    return {name: m for name, m in modules.items() if is_users(Path(_file(m)), roots)}


def modules_of(sources: Collection[Path]) -> dict[str, Any]:
    """The loaded modules whose files are among `sources`, as `loaded_sources` gives them."""
    names = {file.name for file in sources}
    return {
        name: module
        for name, module in list(sys.modules.items())
        if (file := _file(module)).rpartition(os.sep)[2] in names
        and Path(file).resolve() in sources
    }


def _file(module: Any) -> str:
    """Its file; the folder of a namespace package; empty for what is built in."""
    file = getattr(module, "__file__", None)
    if file is None:
        file = next(iter(getattr(module, "__path__", ())), "")
    return file if isinstance(file, str) else ""


def is_users(file: Path, roots: Sequence[Path]) -> bool:
    """Whether `file` lies below one of `roots` and belongs to no installed package.

    Python calls its built-in modules `<frozen abc>` and the like; that is no file of anybody's.
    """
    if file.name.startswith("<"):
        return False
    return is_users_place(file.resolve(), [root.resolve() for root in roots])


def is_users_place(real: Path, bases: Sequence[Path]) -> bool:
    """As `is_users`, of paths without links: of a file, or of a folder for the files in it."""
    if real.is_relative_to(_FOLDER):
        return False
    for base in bases:
        if real.is_relative_to(base):
            return not _FOREIGN_FOLDERS.intersection(real.relative_to(base).parts)
    return False


def users_frames(
    trace: TracebackType | None, roots: Sequence[Path]
) -> tuple[traceback.FrameSummary, ...]:
    """The frames of `trace` that lie in the user's files, outermost first."""
    return tuple(
        frame for frame in traceback.extract_tb(trace) if is_users(Path(frame.filename), roots)
    )


def describe_error(
    error: BaseException, roots: Sequence[Path]
) -> tuple[str, Where | None, tuple[str, ...]]:
    """(one line of text, the innermost place in the user's files, all such places as lines)."""
    if isinstance(error, SyntaxError) and error.filename:
        place = Where(file=error.filename, line=error.lineno, column=error.offset)
        return f"{type(error).__name__}: {error.msg}", place, tuple((error.text or "").split("\n"))
    frames = [
        (f.filename, f.lineno, f.name, f.line) for f in users_frames(error.__traceback__, roots)
    ]
    frames += _converted_frames(error, roots)
    details = [f"{file}:{line} in {name}: {code}" for file, line, name, code in frames]
    where = Where(file=frames[-1][0], line=frames[-1][1]) if frames else None
    return _one_line(error), where, tuple(details)


def _converted_frames(
    error: BaseException, roots: Sequence[Path]
) -> list[tuple[str, int | None, str, str | None]]:
    """Places in code that AutoGraph rewrote: it names the original lines in its message."""
    return [
        (file, int(line), name, code.strip())
        for file, line, name, code in _CONVERTED.findall(str(error))
        if is_users(Path(file), roots)
    ]


def _one_line(error: BaseException, limit: int = 600) -> str:
    """Type and message of `error`, without the call stacks that Keras and AutoGraph write in it."""
    text = _OUR_LAYER.sub("", _COLOURS.sub("", str(error)))
    text = text.split("\n\nArguments received by")[0].split("\n\nCall arguments received")[0]
    kind = type(error).__name__
    if "in user code:" in text:
        text = text.rstrip().split("\n\n")[-1]
        kind = "" if kind in text else kind
    line = ": ".join(part for part in (kind, " ".join(text.split())) if part)
    return line if len(line) <= limit else line[: limit - 1] + "…"
