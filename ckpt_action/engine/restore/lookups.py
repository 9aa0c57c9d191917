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
from ckpt_action.engine.objects import Held
from ckpt_action.engine.restore.finish import layers_among
from ckpt_action.engine.restore.permissions import all_allowed
from ckpt_action.engine.restore.records import Attempt, LiveModel, Source, Value
from ckpt_action.engine.restore.tables import (
    is_empty,
    is_lookup_layer,
    live_tables,
    place,
    stored_content,
)
from ckpt_action.engine.restore.words import agree, difference
from ckpt_action.errors import CkptActionError, ExitCode, Problem

Stored = Mapping[str, Value]


def settle_tables(attempt: Attempt, model: LiveModel, source: Source, rules: Restore) -> Attempt:
    """The complete `attempt` with what becomes of each table; raises RESTORE where that is not
    clear, or where the code and the checkpoint have other words."""
    if not (attempt.tables or attempt.loose_tables):
        return attempt
    sides = _Sides(model.held, source)
    growing = [pair for pair in attempt.tables if hasattr(pair[0], "insert")]
    fixed = [pair for pair in attempt.tables if not hasattr(pair[0], "insert")]
    loose = [stored for _, stored in fixed if all_allowed(rules.allow_unused, stored.values())]
    allowed = [s for s in attempt.loose_tables if all_allowed(rules.allow_unused, s.values())]
    allowed += loose
    fixed = [pair for pair in fixed if pair[1] not in allowed]
    met = _meet([s for s in attempt.loose_tables if s not in allowed], attempt.tables, sides)
    problems = [
        *_unclear(growing + fixed, sides),
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


class _Sides:
    """The tables of the model and those of the checkpoint."""

    def __init__(self, held: Held, source: Source) -> None:
        layers = layers_among(held)
        self.live = live_tables(held)
        self._owners = {id(one.lookup_table): one for one in layers if is_lookup_layer(one)}
        self._source = source

    def owner(self, table: Any) -> Any | None:
        """The lookup layer whose words these are."""
        return self._owners.get(id(table))

    def name(self, table: Any) -> str:
        owner = self.owner(table)
        return f"the lookup layer {owner.name}" if owner else f"a {type(table).__name__}"

    def content(self, stored: Stored) -> Mapping[str, str]:
        return stored_content(stored, self._source)

    def agree(self, table: Any, stored: Stored) -> bool:
        return agree(table, self.owner(table), self.content(stored))

    def contradiction(self, table: Any, stored: Stored) -> Problem | None:
        """Why the two cannot be one, unless the layer has no words and takes the file's."""
        if self.agree(table, stored) or (is_empty(table) and self.owner(table)):
            return None
        words = difference(table, self.content(stored))
        return _problem(
            f"The checkpoint's lookup table {place(stored)} holds other words than "
            f"{self.name(table)} has from the code: {words}.",
            "Give it the words of the training, or, if it is a lookup layer, none: then it takes "
            "the file's. If the model does not look words up in that table of the checkpoint, list "
            f"`{place(stored)}/*` in `allow-unused`.",
        )


@dataclass(frozen=True, kw_only=True)
class _Met:
    """What became of the tables to which no name led."""

    pairs: Sequence[tuple[Any, Stored]]
    strangers: Sequence[Stored]
    """Tables that the model has no counterpart of."""
    problems: Sequence[Problem]


def _meet(loose: Sequence[Stored], known: Iterable[tuple[Any, Stored]], sides: _Sides) -> _Met:
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


def _unclear(pairs: Iterable[tuple[Any, Stored]], sides: _Sides) -> Iterator[Problem]:
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


def _several(stored: Sequence[Stored], live: Sequence[str]) -> Problem:
    return _problem(
        f"It is not clear which lookup table of the checkpoint ({', '.join(map(place, stored))}) "
        f"is which of the model's ({', '.join(live)}): their words differ, and no name tells.",
        "Give each the words of the training in the code (`vocabulary=`), or the attributes the "
        "names of the training; list in `allow-unused` what the model does not look words up in.",
    )


def _notes(
    strangers: Sequence[Stored], empty: Sequence[tuple[Any, Stored]], sides: _Sides
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


def _problem(message: str, hint: str) -> Problem:
    return Problem(code=ExitCode.RESTORE, message=message, hint=hint)
