"""What does not restore, and why: the only exceptions to "restored, with the right numbers"."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True)
class Hole:
    """Cases that must be refused. Every field is a shell pattern; `|` separates several."""

    reason: str
    world: str = "*"
    saver: str = "*"
    architecture: str = "*"
    environment: str = "*"

    def covers(self, case: dict[str, Any], environment: str) -> bool:
        return all(
            any(fnmatchcase(value, one) for one in pattern.split("|"))
            for value, pattern in (
                (case["world"], self.world),
                (case["saver"], self.saver),
                (case["architecture"], self.architecture),
                (environment, self.environment),
            )
        )


HOLES: tuple[Hole, ...] = ()


def reason_for(case: dict[str, Any], environment: str) -> str:
    """Why the case must be refused there; empty where it must restore."""
    if case["refuse"]:
        return case["refuse"]
    return next((hole.reason for hole in HOLES if hole.covers(case, environment)), "")
