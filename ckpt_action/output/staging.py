"""Artifacts are made beside their place and moved into it when all of them are proven.

Everything a run writes lies in `<output-dir>/.staging/` first: on the same file system whatever is
mounted where, and hidden, so that an upload of the folder leaves it out. One run at a time works in
an output folder; it holds a lock that ends with the process, so what an earlier, killed run left
behind is known to be nobody's and is removed.

Placing has one moment at which it is decided: the rename of `next` to `commit`. A run killed before
leaves the old state. After it the moves that remain are only carried out, by this run or, if it is
killed between two of them, by the next command that looks at the folder (`recover`). The manifest
is moved last, so a folder that is half moved does not match its manifest and cannot pass for whole.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ckpt_action.errors import ExitCode, fail
from ckpt_action.manifest import HIDDEN

_LAST = ("SHA256SUMS", "manifest.json")


@dataclass(frozen=True, kw_only=True)
class Staging:
    """The private folder of one run."""

    work: Path
    """Logs, requests and results of children; artifacts before they are proven."""
    items: Path
    """What will lie in the output folder: one folder per job, and files."""
    _output_dir: Path

    def commit(self, removed: Iterable[str]) -> None:
        """Move every item into place; what had its name, and `removed`, goes. Call it once.

        Raises CkptActionError (OUTPUT) where the file system refuses.
        """
        following = self.items.parent
        (following / "removed.json").write_text(json.dumps(sorted(removed)))
        with _explained(self._output_dir):
            following.rename(following.with_name("commit"))
            _settle(self._output_dir)


@contextmanager
def staging(output_dir: Path) -> Iterator[Staging]:
    """Lock `output_dir`, finish or clear what an earlier run left, and clear up at the end.

    Raises CkptActionError (OUTPUT) where the folder cannot be written or another run has it.
    """
    hidden = output_dir / HIDDEN
    with contextlib.ExitStack() as stack:
        with _explained(output_dir):
            output_dir.mkdir(parents=True, exist_ok=True)
            stack.enter_context(_locked(output_dir))
            _settle(output_dir)
            shutil.rmtree(hidden, ignore_errors=True)
            work, items = hidden / "work", hidden / "next" / "items"
            work.mkdir(parents=True)
            items.mkdir(parents=True)
        stack.callback(_clear, output_dir)
        yield Staging(work=work, items=items, _output_dir=output_dir)


def recover(output_dir: Path) -> None:
    """Before reading `output_dir`: carry out what a killed run had decided and not finished."""
    if (output_dir / HIDDEN / "commit").is_dir():
        with _explained(output_dir), _locked(output_dir):
            _settle(output_dir)
            _clear(output_dir)


def _settle(output_dir: Path) -> None:
    """The moves of a decided commit, from wherever they stopped; nothing where there is none."""
    commit = output_dir / HIDDEN / "commit"
    if not commit.is_dir():
        return
    old = commit / "old"
    old.mkdir(exist_ok=True)
    for name in json.loads((commit / "removed.json").read_text()):
        _move(output_dir / name, old / name)
    names = {item.name for item in (commit / "items").iterdir()}
    for name in [*sorted(names.difference(_LAST)), *(n for n in _LAST if n in names)]:
        item, place = commit / "items" / name, output_dir / name
        if item.is_dir():
            _move(place, old / name)
        item.replace(place)
    done = commit.rename(commit.with_name("done"))
    shutil.rmtree(done)


def _move(source: Path, target: Path) -> None:
    if os.path.lexists(source):
        source.rename(target)


def _clear(output_dir: Path) -> None:
    """No trace of a run; not even the output folder where nothing was placed in it."""
    if not (output_dir / HIDDEN / "commit").exists():
        shutil.rmtree(output_dir / HIDDEN, ignore_errors=True)
    with contextlib.suppress(OSError):
        output_dir.rmdir()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process; the system lets go of it however the process ends."""
    busy = fail(
        ExitCode.OUTPUT,
        f"Another export is writing into {folder}.",
        hint="Wait for it to end, or give this one another --output-dir.",
    )
    try:
        descriptor = _take(folder)
    except (BlockingIOError, FileExistsError):
        raise busy from None
    try:
        yield
    finally:
        os.close(descriptor)


if sys.platform == "win32":

    def _take(folder: Path) -> int:
        # Windows deletes a temporary file with its last handle.
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_TEMPORARY
        return os.open(folder / f"{HIDDEN}.lock", flags)

else:

    def _take(folder: Path) -> int:
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor


@contextmanager
def _explained(output_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise fail(
            ExitCode.OUTPUT,
            f"Cannot write into {output_dir}: {error.strerror or error}.",
            hint="Check its permissions and the free space, or give another --output-dir.",
        ) from error
