"""The comparisons as bars, in an SVG that is equal for equal results."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from benchmarks.processes import Cost
from benchmarks.results import Comparison, Way

LABEL = "Time and memory of ckpt-action beside other ways"

_WIDTH, _LABEL, _BARS = 860, 270, 200
_ROW, _TITLE, _GAP = 20, 26, 14
_LEFT = (_LABEL, _LABEL + _BARS + 100)
"""Where the bars of time and of memory begin."""
_STYLE = """\
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .ours { fill: #1a7f37 }
  .other { fill: #8c959f }
  .name { text-anchor: end }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .ours { fill: #3fb950 }
    .other { fill: #6e7681 }
  }"""


def figure(comparisons: list[Comparison]) -> str:
    """One group per comparison; each is scaled by its longest bar."""
    body: list[str] = []
    top = 44
    for one in comparisons:
        ways = (one.ours, one.other, *one.more)
        body.append(_text(8, top, one.title, "title"))
        top += _TITLE - 6
        for way in ways:
            body += _row(way, top, ways, ours=way.name.startswith("ckpt-action"))
            top += _ROW
        top += _GAP
    heads = [_text(_LEFT[0], 20, "wall time", ""), _text(_LEFT[1], 20, "peak memory", "")]
    size = f'viewBox="0 0 {_WIDTH} {top}" role="img" aria-label="{LABEL}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>\n{_STYLE}\n</style>'
    return "\n".join([start, *heads, *body, "</svg>\n"])


def _row(way: Way, top: int, ways: tuple[Way, ...], *, ours: bool) -> Iterator[str]:
    yield _text(_LABEL - 10, top + 10, way.name, "name")
    walls, peaks = [w.cost.wall for w in ways], [w.cost.peak for w in ways]
    for left, share, shown in (
        (_LEFT[0], way.cost.wall / max(walls), _seconds(way.cost)),
        (_LEFT[1], way.cost.peak / max(peaks), f"{way.cost.peak / 2**20:.0f} MiB"),
    ):
        width = max(1.0, _BARS * share)
        kind = "ours" if ours else "other"
        yield (
            f'<rect class="{kind}" x="{left}" y="{top}" width="{width:.1f}" height="14" rx="2"/>'
        )
        yield _text(left + width + 6, top + 11, shown, "")


def _seconds(cost: Cost) -> str:
    return f"{cost.wall:.1f} s" if cost.wall >= 10 else f"{cost.wall:.2f} s"


def _text(left: float, top: float, text: str, kind: str) -> str:
    chosen = f' class="{kind}"' if kind else ""
    return f'<text{chosen} x="{left:.1f}" y="{top:.1f}">{escape(text)}</text>'
