"""What was measured, in the form of which table, figure and page are made."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.processes import Cost


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way of doing a thing, and what it cost."""

    name: str
    cost: Cost


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


def goals(comparisons: list[Comparison]) -> list[str]:
    """A sentence on the goals that were reached, and one on each that was not."""
    kept = []
    missed = []
    for one in comparisons:
        for what, found, goal in (
            ("time", one.wall, one.wall_goal),
            ("memory", one.peak, one.peak_goal),
        ):
            if goal is not None and found <= goal:
                kept.append(f"{one.title} ({what})")
            elif goal is not None:
                missed.append(
                    f"{one.title}: {found:.2f} of the {what} of `{one.other.name}`, not {goal:.2f}."
                )
    lines = [f"Goals that this run reached: {'; '.join(kept) or 'none'}."]
    if missed:
        lines += ["", "Goals that it did not reach:", "", *(f"- {line}" for line in missed)]
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
