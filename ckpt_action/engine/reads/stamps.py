"""Whether a file that was read is still what it was when it was read first.

It is hashed when the last of the code has run. What changed in between was not what the model was
made from, and nobody knows any more what that was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ckpt_action.digests import Stamp, stamp
from ckpt_action.errors import CkptActionError, ExitCode, fail


class Stamps:
    """Of files by the absolute names that they were opened by."""

    def __init__(self) -> None:
        self._first: dict[str, Stamp | None] = {}
        self._own: set[str] = set()

    def read(self, name: str) -> None:
        if name not in self._first:
            self._first[name] = stamp(name)

    def written(self, name: str) -> None:
        """By this very process, which is honest and leaves nothing that has a digest."""
        self._own.add(name)

    def changed_here(self, counts: Callable[[str], bool]) -> set[str]:
        """Of those that `counts`: what this process wrote to after it had read it."""
        return {name for name in self._own & self._first.keys() if counts(name)}

    def refuse_changed(self, counts: Callable[[str], bool], folder: Path) -> None:
        """Raises CkptActionError (REBUILD) where somebody else changed one that `counts`."""
        others = {n: s for n, s in self._first.items() if n not in self._own}
        changed = [n for n, first in others.items() if stamp(n) != first and counts(n)]
        if changed:
            raise _changed(sorted(changed), folder)


def _changed(names: Iterable[str], folder: Path) -> CkptActionError:
    shown = (Path(n).relative_to(folder) if Path(n).is_relative_to(folder) else n for n in names)
    return fail(
        ExitCode.REBUILD,
        f"{', '.join(map(str, shown))} changed while the model was made from it.",
        hint="Export when nobody writes to it, or from a copy.",
    )
