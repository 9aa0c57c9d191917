"""Which lookup table of the model each table of the checkpoint is, and whether they agree.

Tables that grow while they are used hold what the checkpoint holds. Others have their content from
the code, as lookup layers have since TensorFlow 2.9: files of before hold their vocabularies as
`lookup_table/.ATTRIBUTES/table-keys`. These may not contradict the code; a layer to which the code
gives no words takes the file's. A table that the model has no counterpart of is no part of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ckpt_action.checkpoint.records import Role
from ckpt_action.config.records import Restore
from ckpt_action.engine.restore.model.lookup_tables import is_empty, place
from ckpt_action.engine.restore.permissions import all_allowed
from ckpt_action.engine.restore.records import Attempt, LiveModel, Source
from ckpt_action.engine.restore.tables.sides import Sides, Stored, table_problem
from ckpt_action.errors import CkptActionError, Problem


def settle_tables(attempt: Attempt, model: LiveModel, source: Source, rules: Restore) -> Attempt:
    """The complete `attempt` with what becomes of each table; raises RESTORE where that is not
    clear, or where the code and the checkpoint have other words."""
    if not (attempt.tables or attempt.loose_tables):
        return attempt
    sides = Sides(model.held, source)
    growing = [pair for pair in attempt.tables if hasattr(pair[0], "insert")]
    fixed = [pair for pair in attempt.tables if not hasattr(pair[0], "insert")]
    loose = [stored for _, stored in fixed if all_allowed(rules.allow_unused, stored.values())]
    allowed = [s for s in attempt.loose_tables if all_allowed(rules.allow_unused, s.values())]
    allowed += loose
    fixed = [pair for pair in fixed if pair[1] not in allowed]
    met = _meet([s for s in attempt.loose_tables if s not in allowed], attempt.tables, sides)
    problems = [
        *_unclear(growing + fixed, sides),
        *_by_order_alone(attempt.alike_tables, allowed, sides),
        *met.problems,
        *(p for pair in (*fixed, *met.pairs) if (p := sides.contradiction(*pair))),
    ]
    if problems:
        raise CkptActionError(*problems)
    settled = (*fixed, *met.pairs)
    empty = [pair for pair in settled if is_empty(pair[0]) and not _holds_nothing(pair[1])]
    return replace(
        attempt,
        tables=tuple(growing),
        vocabularies=tuple((sides.owner(table), stored) for table, stored in empty),
        unused_allowed=(*attempt.unused_allowed, *(v for s in allowed for v in s.values())),
        ignored=Counter(attempt.ignored) + Counter({Role.TABLE: len(met.strangers)}),
        notes=(*attempt.notes, *_notes(met.strangers, empty, sides)),
    )


@dataclass(frozen=True, kw_only=True)
class _Met:
    """What became of the tables to which no name led."""

    pairs: Sequence[tuple[Any, Stored]]
    strangers: Sequence[Stored]
    """Tables that the model has no counterpart of."""
    problems: Sequence[Problem]


def _meet(loose: Sequence[Stored], known: Iterable[tuple[Any, Stored]], sides: Sides) -> _Met:
    """Lay the tables to which no name led beside those of the model that no name led to: equal
    ones are one, and so are the only ones that are left of their kind on both sides. In an empty
    one, as a layer counts words in while it adapts, there is nothing to know it by."""
    taken = {id(table) for table, _ in known}
    free = [table for table in sides.live if id(table) not in taken]
    full = [s for s in loose if not _holds_nothing(s)]
    equal = [(table, s) for s in full for table in free if sides.agree(table, s)]
    live, stored = _by_kind(free, full)
    pairs, problems = [], []
    strangers = [s for s in loose if _holds_nothing(s)]
    for kind, candidates in stored.items():
        left = [s for s in candidates if all(s is not other for _, other in equal)]
        open_ = [t for t in live[kind] if all(t is not other for other, _ in equal)]
        if not open_ or not left:
            strangers += left
        elif len(open_) == len(left) == 1:
            pairs.append((open_[0], left[0]))
        else:
            problems.append(_several(left, [sides.name(table) for table in open_]))
    return _Met(pairs=[*equal, *pairs], strangers=strangers, problems=problems)


def _by_kind(
    live: Iterable[Any], stored: Iterable[Stored]
) -> tuple[Mapping[tuple[bool, bool], list[Any]], Mapping[tuple[bool, bool], list[Stored]]]:
    """By whether the keys and the values are words: `string` or numbers of any width."""
    ours: dict[tuple[bool, bool], list[Any]] = defaultdict(list)
    theirs: dict[tuple[bool, bool], list[Stored]] = defaultdict(list)
    for table in live:
        ours[table.key_dtype == "string", table.value_dtype == "string"].append(table)
    for one in stored:
        theirs[one["keys"].dtype == "string", one["values"].dtype == "string"].append(one)
    return ours, theirs


def _unclear(pairs: Iterable[tuple[Any, Stored]], sides: Sides) -> Iterator[Problem]:
    """One table of the model that stands where the checkpoint has several."""
    found: dict[int, list[Stored]] = defaultdict(list)
    tables = {}
    for table, stored in pairs:
        found[id(table)].append(stored)
        tables[id(table)] = table
    for number, several in found.items():
        contents = [sides.content(stored) for stored in several]
        if any(content != contents[0] for content in contents):
            yield _several(several, [sides.name(tables[number])])


def _by_order_alone(
    groups: Iterable[Sequence[tuple[Any, Stored]]], allowed: Sequence[Stored], sides: Sides
) -> Iterator[Problem]:
    """Tables that take the checkpoint's content, where another one would fit as well."""
    for group in groups:
        open_ = [
            (table, stored)
            for table, stored in group
            if stored not in allowed
            and (is_empty(table) or (hasattr(table, "insert") and not sides.agree(table, stored)))
        ]
        contents = [sides.content(stored) for _, stored in open_]
        if any(content != contents[0] for content in contents):
            stored_at = ", ".join(place(stored) for _, stored in open_)
            yield table_problem(
                f"Only the order of layers says which lookup table of the checkpoint ({stored_at}) "
                f"is which of the model's ({', '.join(sides.place(table) for table, _ in open_)}): "
                "their content differs, and in another order they would fit as well.",
                "Fill them in the code with the content of the training: then that decides. Or "
                "make each table, or its layer, an attribute of the model under a name of its own "
                "(`model.colours = ...`), here and where it is trained, and save it again.",
            )


def _several(stored: Sequence[Stored], live: Sequence[str]) -> Problem:
    return table_problem(
        f"It is not clear which lookup table of the checkpoint ({', '.join(map(place, stored))}) "
        f"is which of the model's ({', '.join(live)}): their words differ, and no name tells.",
        "Give each the words of the training in the code (`vocabulary=`), or the attributes the "
        "names of the training; list in `allow-unused` what the model does not look words up in.",
    )


def _notes(
    strangers: Sequence[Stored], empty: Sequence[tuple[Any, Stored]], sides: Sides
) -> Iterator[str]:
    if strangers:
        yield (
            "lookup tables of the checkpoint that the model has no counterpart of: "
            + ", ".join(map(place, strangers))
        )
    for table, stored in empty:
        count = stored["keys"].shape[0]
        yield f"{sides.name(table)} has its {count} words from the checkpoint ({place(stored)})"


def _holds_nothing(stored: Stored) -> bool:
    return 0 in stored["keys"].shape
