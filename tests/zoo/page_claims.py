"""What `docs/restore-matrix.md` claims, to hold a run against it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from running import ENVIRONMENTS

Claim = tuple[str, ...]
"""Title of the section, name of the row, and, where there are several, that of the column."""


def claims(text: str) -> dict[Claim, tuple[int, int]]:
    """How many cases were right, and how many not, by every cell of the page and every reason."""
    found: dict[Claim, tuple[int, int]] = {}
    for title, lines in sections(text).items():
        head, *rows = [_cells(line) for line in lines if line.startswith("|")] or [[]]
        for name, *cells in rows[1:]:
            if title == "Totals":
                found[(title, name, *cells[:2])] = (int(cells[2]), int(cells[3]) + int(cells[4]))
                continue
            for world, cell in zip(head[1:], cells, strict=True):
                for environment, count in zip(ENVIRONMENTS, cell.split(" · "), strict=False):
                    if "/" in count:
                        right, of = map(int, count.split("/"))
                        found[title, name, world, environment] = (right, of - right)
        for reason, count in re.findall(r"^- \*\*(.+)\*\* (\d+):", "\n".join(lines), re.MULTILINE):
            found[title, reason] = (0, int(count))
    return found


def beyond(part: Mapping[Claim, tuple[int, int]], whole: Mapping[Claim, tuple[int, int]]) -> str:
    """Where a part of the cases shows more, right or not, than the page says of all; where a cell
    has no other cases, that is any difference."""
    return "\n".join(
        f"{' / '.join(claim)}: at least {right} right and {not_right} not; the page: {said}"
        for claim, (right, not_right) in part.items()
        if right > (said := whole.get(claim, (0, 0)))[0] or not_right > said[1]
    )


def sections(text: str) -> dict[str, list[str]]:
    """Title to lines."""
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    return {title: body.splitlines() for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def _cells(line: str) -> list[str]:
    return [cell.strip().strip("`") for cell in line.strip("|").split("|")]
