"""Recorded names as evidence: they never bind a variable, but they can speak against an order."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from ckpt_action.engine.restore.records import Candidate

_COUNTED = re.compile(r"(.*?)(?:_(\d+))?")


def contradicted(bound: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Those bound by order alone whose name asks for another value that would fit as well.

    Keras counts its automatic names through the whole process (`dense_7`), so names are compared
    by their rank among the names of one family. A name that several variables share says nothing.
    """
    ordered = [c for c in bound if c.ordered and c.value.full_name]
    live = _owners({i: c.variable.path for i, c in enumerate(ordered)})
    stored = _owners({i: c.value.full_name for i, c in enumerate(ordered)})
    wanted = [(live[i], c.value.shape, c.value.dtype) for i, c in enumerate(ordered)]
    offered = [(stored[i], c.value.shape, c.value.dtype) for i, c in enumerate(ordered)]
    demand, supply = Counter(wanted), Counter(offered)
    return tuple(
        candidate
        for candidate, want, offer in zip(ordered, wanted, offered, strict=True)
        if want != offer and demand[want] == 1 and supply[want] == 1
    )


def _owners(names: Mapping[int, str]) -> dict[int, tuple[str, int, str]]:
    """(family of the layer's name, rank in the family, the variable's own name) of each name."""
    split = {i: _split(name) for i, name in names.items()}
    families: dict[str, set[int]] = defaultdict(set)
    for family, count, _ in split.values():
        families[family].add(count)
    ranks = {f: {count: r for r, count in enumerate(sorted(c))} for f, c in families.items()}
    return {i: (family, ranks[family][count], leaf) for i, (family, count, leaf) in split.items()}


def _split(name: str) -> tuple[str, int, str]:
    parts = name.split(":", maxsplit=1)[0].split("/")
    owner = _COUNTED.fullmatch(parts[-2] if len(parts) > 1 else "")
    assert owner is not None
    return owner[1], int(owner[2] or 0), parts[-1]
