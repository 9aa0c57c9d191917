"""What a release is to be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Wanted:
    repository: str
    """`owner/name`."""
    tag: str
    commit: str | None = None
    """What the tag will name where there is no such tag."""
    draft: bool = False
    """Leave a draft as it is, instead of publishing it."""
    prerelease: bool = False
    """This and the next three: only for a release that is made here."""
    name: str = ""
    """Its title; else the tag."""
    notes: str = ""
    generate_notes: bool = False
    """Whether GitHub adds what was merged since the release before."""
    allow_unproven: tuple[str, ...] = ()
    """Models whose values nobody compared, and that are released all the same."""
    replace: bool = False
    """Whether an asset of the same name and other bytes may be replaced."""
