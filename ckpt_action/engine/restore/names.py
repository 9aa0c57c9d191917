"""Recorded names as evidence: they never bind a variable, but they can speak against an order."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ckpt_action.engine.restore.records import Candidate
from ckpt_action.errors import ExitCode, Problem, warning

_COUNTED = re.compile(r"(.*?)(?:_(\d+))?")

Owner = frozenset[tuple[str, int]]
"""The parts of one name: (family, rank among the family's members on that side)."""


def contradicted(bound: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Those bound by a place in an order whose names would agree better the other way round, or
    with each taking the value of the next.

    Every part of the names counts: of two towers with a layer `proj` in each, the towers' names
    decide. Keras counts its automatic names through the whole process (`dense_7`), so a part is
    compared by its rank among the parts of one family. Names that agree equally well both ways say
    nothing.
    """
    ordered = [c for c in bound if c.value.full_name and _by_place(c)]
    live = _owners([(c.variable.path, *c.variable.names) for c in ordered])
    stored = _owners([(c.value.full_name,) for c in ordered])
    alike: dict[tuple[tuple[int, ...], str], list[int]] = defaultdict(list)
    for number, candidate in enumerate(ordered):
        alike[candidate.value.shape, candidate.value.dtype].append(number)
    found = {number for members in alike.values() for number in _in_circles(live, stored, members)}
    return tuple(candidate for number, candidate in enumerate(ordered) if number in found)


def undecided(bound: Iterable[Candidate]) -> tuple[Problem, ...]:
    """A warning where two parts of the model could be exchanged and no recorded name tells them
    apart: the order of the code decides alone, and only a golden file can prove it."""
    bound = tuple(bound)
    paths = tuple(dict.fromkeys([*_alike_in_names(bound), *_alike_in_a_layer(bound)]))
    if not paths:
        return ()
    shown = ", ".join(paths[:4]) + (", ..." if len(paths) > 4 else "")
    return (
        warning(
            ExitCode.RESTORE,
            f"{len(paths)} variables have a twin of equal shape that no recorded name "
            f"tells from them, so only the order of the code says which is which: {shown}.",
            hint="If the code is not the one that trained the model, a golden file settles it.",
            details=paths,
        ),
    )


def _alike_in_names(bound: Iterable[Candidate]) -> Iterator[str]:
    """Twins that only the order of layers led to."""
    ordered = [c for c in bound if c.ordered and c.value.full_name]
    live = _owners([(c.variable.path,) for c in ordered])
    stored = _owners([(c.value.full_name,) for c in ordered])
    alike: dict[object, list[int]] = defaultdict(list)
    for number, candidate in enumerate(ordered):
        alike[stored[number], candidate.value.shape, candidate.value.dtype].append(number)
    for members in alike.values():
        if len({live[number] for number in members}) > 1:
            yield from (ordered[number].variable.path for number in members)


def _alike_in_a_layer(bound: Iterable[Candidate]) -> Iterator[str]:
    """Twins among the variables of one layer, whose values the file only counts."""
    alike: dict[object, list[str]] = defaultdict(list)
    for candidate in bound:
        if candidate.counted:
            value = candidate.value
            layer = value.key.rpartition("/")[0]
            alike[layer, value.shape, value.dtype].append(candidate.variable.path)
    for paths in alike.values():
        if len(paths) > 1:
            yield from paths


def _by_place(candidate: Candidate) -> bool:
    """By the order of layers, or by an index in a list."""
    return candidate.ordered or any(p.isdigit() for p in candidate.variable.place.split("/"))


def _in_circles(
    live: Sequence[Owner], stored: Sequence[Owner], members: Sequence[int]
) -> dict[int, set[int]]:
    """Those of `members` that would all agree better with the value of another one of them, which
    would in turn; two that are swapped are the shortest circle."""
    wanted = {
        one: {
            other
            for other in members
            if len(live[one] & stored[other]) > len(live[one] & stored[one])
        }
        for one in members
    }
    while True:
        taken = set().union(*wanted.values())
        left = {one: others & wanted.keys() for one, others in wanted.items() if one in taken}
        left = {one: others for one, others in left.items() if others}
        if left == wanted:
            return wanted
        wanted = left


def _owners(names: Sequence[tuple[str, ...]]) -> list[Owner]:
    """Of each variable, the parts of all names that it goes by."""
    split = [[split_count(part) for name in several for part in _parts(name)] for several in names]
    places = ranks(part for parts in split for part in parts)
    return [frozenset((family, places[family][count]) for family, count in p) for p in split]


def _parts(name: str) -> list[str]:
    return name.split(":", maxsplit=1)[0].split("/")


def ranks(parts: Iterable[tuple[str, int]]) -> Mapping[str, Mapping[int, int]]:
    """Family to count to the place of that count among the family's."""
    families: dict[str, set[int]] = defaultdict(set)
    for family, count in parts:
        families[family].add(count)
    return {f: {count: r for r, count in enumerate(sorted(c))} for f, c in families.items()}


def split_count(part: str) -> tuple[str, int]:
    """`dense_2` is of the family `dense`, with the count 2; `dense` has the count 0."""
    counted = _COUNTED.fullmatch(part)
    assert counted is not None
    return counted[1], int(counted[2] or 0)
