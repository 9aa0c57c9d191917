"""What was measured, in the form of which table, figure and page are made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.processes import Cost


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way of doing a thing, and what it cost."""

    name: str
    cost: Cost


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What ours may take at most."""

    name: str
    found: float
    most: float
    of: str
    """What both are shares of."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Ours beside other ways of the same thing, measured in turns."""

    title: str
    ours: Way
    other: Way
    """What the ratios are to."""
    more: tuple[Way, ...] = ()
    wall_goal: float | None = None
    """The share of the other's time that ours may take at most."""
    peak_goal: float | None = None

    @property
    def wall(self) -> float:
        return self.ours.cost.wall / self.other.cost.wall

    @property
    def cpu(self) -> float:
        return self.ours.cost.cpu / self.other.cost.cpu

    @property
    def peak(self) -> float:
        return self.ours.cost.peak / self.other.cost.peak

    @property
    def goals(self) -> tuple[Goal, ...]:
        both = (("time", self.wall, self.wall_goal), ("memory", self.peak, self.peak_goal))
        return tuple(
            Goal(
                name=f"{self.title} ({what})",
                found=found,
                most=most,
                of=f"the {what} of `{self.other.name}`",
            )
            for what, found, most in both
            if most is not None
        )


def goals(declared: Iterable[Goal]) -> list[str]:
    """A sentence on the goals that were reached, and one on each that was not."""
    every = list(declared)
    kept = [goal.name for goal in every if goal.found <= goal.most]
    missed = [g for g in every if g.found > g.most]
    lines = [f"Goals that this run reached: {'; '.join(kept) or 'none'}."]
    if missed:
        lines += ["", "Goals that it did not reach:", ""]
        lines += [f"- {g.name}: {g.found:.2g} of {g.of}, not {g.most:.2g}." for g in missed]
    return lines


def table(comparisons: list[Comparison]) -> list[str]:
    """Lines of Markdown."""
    lines = [
        "| what | way | wall | CPU | peak memory | wall ratio | CPU ratio | memory ratio |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for one in comparisons:
        for way in (one.ours, one.other, *one.more):
            ours = way is one.ours
            ratios = (
                (_ratio(one.wall, one.wall_goal), _ratio(one.cpu), _ratio(one.peak, one.peak_goal))
                if ours
                else ("", "", "")
            )
            cells = (one.title if ours else "", way.name, *_cells(way.cost), *ratios)
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def _cells(cost: Cost) -> tuple[str, str, str]:
    return f"{cost.wall:.2f} s", f"{cost.cpu:.2f} s", f"{cost.peak / 2**20:.0f} MiB"


def _ratio(value: float, goal: float | None = None) -> str:
    return f"{value:.2f}" if goal is None else f"{value:.2f} (goal {goal:.2f})"
