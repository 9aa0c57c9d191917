"""Small SVG pictures for the HTML report; colours come from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ckpt_action.outcome import OutputVerdict

_WIDTH, _ROW, _LEFT, _RIGHT = 360, 26, 64, 20
_LOWEST, _HIGHEST = -12, 3
"""Powers of ten at the two ends of the axis; zero and infinity sit beyond them."""


def differences(verdicts: Sequence[OutputVerdict]) -> str:
    """Differences of one output on a logarithmic axis: a row for absolute, one for relative.

    A dot is one probe; the tick is the tolerance (`atol`, `rtol`) for each. A difference may
    lie right of one tick and still pass, for both tolerances together decide.
    """
    rows = (("absolute", "max_abs", "atol"), ("relative", "max_rel", "rtol"))
    height = _ROW * len(rows) + 18
    parts = [_axis(_ROW * len(rows))]
    for number, (label, field, tolerance) in enumerate(rows):
        y = _ROW * number + _ROW // 2
        parts.append(f'<text x="0" y="{y + 4}">{label}</text>')
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y}" y2="{y}"/>')
        for value in sorted({getattr(verdict, tolerance) for verdict in verdicts}):
            x = _position(value)
            parts.append(f'<line class="limit" x1="{x}" x2="{x}" y1="{y - 9}" y2="{y + 9}"/>')
        parts += [
            _dot(getattr(verdict, field), verdict.passed, y)
            for verdict in verdicts
            if getattr(verdict, field) is not None
        ]
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{_words(verdicts)}">'
        f"{''.join(parts)}</svg>"
    )


def bar(share: float) -> str:
    """A horizontal bar filled to `share` of 1."""
    return (
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{max(share * 100, 0.6):.1f}" height="8"/></svg>'
    )


def _axis(y: int) -> str:
    marks = [(-12, "0"), (-9, "1e-9"), (-6, "1e-6"), (-3, "1e-3"), (0, "1"), (3, "≥1e3")]
    return "".join(
        f'<line class="grid" x1="{x}" x2="{x}" y1="2" y2="{y}"/>'
        f'<text class="mark" x="{x}" y="{y + 13}">{text}</text>'
        for power, text in marks
        for x in (_at(power),)
    )


def _dot(value: float, passed: bool, y: int) -> str:
    kind = "good" if passed else "bad"
    return f'<circle class="{kind}" cx="{_position(value)}" cy="{y}" r="4"/>'


def _position(value: float) -> str:
    if math.isnan(value) or math.isinf(value):
        return _at(_HIGHEST)
    return _at(math.log10(value) if value > 0 else _LOWEST)


def _at(power: float) -> str:
    inside = min(max(power, _LOWEST), _HIGHEST)
    share = (inside - _LOWEST) / (_HIGHEST - _LOWEST)
    return f"{_LEFT + 8 + share * (_WIDTH - _LEFT - _RIGHT - 8):.1f}"


def _words(verdicts: Sequence[OutputVerdict]) -> str:
    failed = sum(not verdict.passed for verdict in verdicts)
    return f"{len(verdicts)} comparisons, {failed} failed"
