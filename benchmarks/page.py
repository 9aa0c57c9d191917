"""The results in `docs/benchmarks.md`, between two marks; the words around them stay."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

from benchmarks.figure import LABEL
from benchmarks.freeze import Freezing, lines
from benchmarks.results import Comparison, Way, goals, table

_PACKAGES = ("tensorflow", "keras", "numpy")


def write_page(
    page: Path,
    found: list[Comparison],
    least: tuple[Way, ...],
    freezings: list[Freezing],
    stages: list[str],
) -> None:
    """Put the results of one run into `page`."""
    body = [
        _machine(),
        "",
        f"![{LABEL}](benchmarks.svg)",
        "",
        *table(found),
        "",
        *goals(goal for part in (found, freezings) for one in part for goal in one.goals),
        "",
        "The floor, which nothing can be cheaper than:",
        "",
        *(f"- {w.name}: {w.cost.wall:.2f} s, {w.cost.peak / 2**20:.0f} MiB" for w in least),
        "",
        "Freezing alone, without build and restore:",
        "",
        "```text",
        *lines(freezings),
        "```",
    ]
    text = _with(page.read_text(encoding="utf-8"), "results", body)
    page.write_text(_with(text, "stages", stages), encoding="utf-8")


def _with(text: str, part: str, lines: list[str]) -> str:
    """`text` with `lines` between the marks of `part`."""
    begin, end = f"<!-- {part} -->", f"<!-- end of {part} -->"
    before, rest = text.split(begin)
    return "\n".join([before + begin, *lines, end + rest.split(end)[1]])


def _machine() -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}; "
        f"Python {platform.python_version()}, {versions}."
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    text = information.read_text() if information.exists() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()
