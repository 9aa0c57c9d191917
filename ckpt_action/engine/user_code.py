"""What the user's own Python did: which files it loaded, and where in them it failed."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from ckpt_action.errors import Where

_OURS = Path(__file__).resolve().parent.parent
_FOREIGN_FOLDERS = frozenset({"site-packages", "dist-packages", ".venv", "venv", ".tox", ".nox"})


def loaded_sources(roots: Sequence[Path]) -> tuple[Path, ...]:
    """Every `.py` file below `roots` that is loaded now, sorted, without installed packages."""
    files: set[Path] = set()
    for module in list(sys.modules.values()):
        name = getattr(module, "__file__", None)
        if isinstance(name, str) and name.endswith(".py") and is_users(Path(name), roots):
            files.add(Path(name).resolve())
    return tuple(sorted(files))


def is_users(file: Path, roots: Sequence[Path]) -> bool:
    """Whether `file` lies below one of `roots` and belongs to no installed package."""
    real = file.resolve()
    if real.is_relative_to(_OURS):
        return False
    for root in roots:
        base = root.resolve()
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
    text = f"{type(error).__name__}: {_first_lines(error)}" if str(error) else type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        place = Where(file=error.filename, line=error.lineno, column=error.offset)
        return (
            f"{type(error).__name__}: {error.msg}",
            place,
            tuple((error.text or "").splitlines()[:1]),
        )
    frames = users_frames(error.__traceback__, roots)
    if not frames:
        return text, None, ()
    details = [f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames]
    return text, Where(file=frames[-1].filename, line=frames[-1].lineno), tuple(details)


def _first_lines(error: BaseException, limit: int = 600) -> str:
    """Message of `error` on one line, cut where TensorFlow appends its own call stack."""
    text = str(error).split("\n\nCall arguments received by")[0].split("\nin user code:")[-1]
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
