"""The comparison of model and checkpoint as lines of text, in two columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from ckpt_action.engine.restore.mismatch.align import Row, align
from ckpt_action.engine.restore.records import Attempt, LiveModel, LiveVariable, Value

_WIDEST = 60
_NOTHING = "-"


def rows(attempt: Attempt, model: LiveModel) -> list[Row]:
    """Everything that did not bind, aligned, in the order of the model."""
    loose = [*attempt.missing, *(variable for variable, _ in attempt.ambiguous)]
    place = {id(v.variable): index for index, v in enumerate(model.own())}
    loose.sort(key=lambda v: place[id(v.variable)])
    claimed = {value.key: value for _, values in attempt.ambiguous for value in values}
    paired = [*attempt.unfit, *attempt.contradicted]
    fixed = [Row(live=c.variable, value=c.value) for c in paired]
    disputed = {value.key for one in attempt.disputed for value in one.values}
    apart = [Row(live=None, value=v) for v in attempt.unused if v.key in disputed]
    unused = [v for v in attempt.unused if v.key not in disputed]
    return [*fixed, *align(loose, [*unused, *claimed.values()]), *apart]


def table(attempt: Attempt, model: LiveModel) -> tuple[str, ...]:
    """Lines for a person: equal rows as a count, every other row with path, shape and dtype."""
    special = _special(attempt)
    by_name = attempt.route == "variable names"
    cells = [("", "model", "checkpoint")]
    if attempt.bound:
        cells.append(("=", f"{len(attempt.bound) - len(attempt.contradicted)} equal", ""))
    for equal, group in groupby(rows(attempt, model), key=lambda row: _mark(row, special) == "="):
        several = list(group)
        if equal and len(several) > 1:
            cells.append(("=", f"{len(several)} alike", ""))
        else:
            cells += [(_mark(r, special), *_cells(r, special, by_name)) for r in several]
    return tuple(_columns(cells))


LEGEND = (
    "= equal   ! other shape or dtype   ~ other name   < only in the model   "
    "> only in the checkpoint   ? not clear which"
)


def is_renamed(row: Row) -> bool:
    """Whether a pair agrees in shape while the names on its way differ."""
    if not row.same_shape or row.live is None or row.value is None:
        return False
    if "/vars/" in row.value.path:
        return _other_owner(row.live.place, row.value.path)
    if row.value.full_name and _same_name(row.live.path, row.value.full_name):
        return False
    return not _same_name(row.live.place, row.value.path)


def _same_name(one: str, other: str) -> bool:
    """Equal, but for what precedes the shorter one and leading underscores; counted or listed
    layers compare by what follows them."""
    a = [part.lstrip("_") for part in one.split("/")]
    b = [part.lstrip("_") for part in other.split("/")]
    length = min(len(a), len(b), 2)
    if any(_is_position(part) for part in (*a[-2:-1], *b[-2:-1])):
        length = 1
    return a[-length:] == b[-length:]


def _other_owner(place: str, stored: str) -> bool:
    """Weights files know no names of variables, only the attributes that hold their layers; below
    `layers` they count classes."""
    live = place.split("/")[:-1]
    owner = stored.split("/vars/", maxsplit=1)[0].split("/")
    if not live or _is_position(live[-1]) or "layers" in owner[-2:-1]:
        return False
    return not _same_name(live[-1], owner[-1])


def _is_position(part: str) -> bool:
    return part.isdigit() or part.startswith(("layer_with_weights-", "layer-"))


def _special(attempt: Attempt) -> dict[int, str]:
    """What to add to the rows of variables that have candidates."""
    notes = {id(c.variable): f"saved as {c.value.full_name}" for c in attempt.contradicted}
    for variable, values in attempt.ambiguous:
        notes[id(variable)] = "candidates: " + ", ".join(value.path for value in values)
    return notes


def _mark(row: Row, special: dict[int, str]) -> str:
    if row.live is not None and id(row.live) in special:
        return "?"
    if row.value is None:
        return "<"
    if row.live is None:
        return ">"
    if not row.same_shape:
        return "!"
    return "~" if is_renamed(row) else "="


def _cells(row: Row, special: dict[int, str], by_name: bool) -> tuple[str, str]:
    """The model's side is called as the code calls it, but where recorded names decide."""
    left = _NOTHING
    if row.live is not None:
        named = by_name or id(row.live) in special
        left = _describe(row.live.path if named else row.live.attributes, row.live)
    right = _describe(row.value.path, row.value) if row.value is not None else _NOTHING
    note = special.get(id(row.live), "")
    return left, f"{right} ({note})" if note else right


def _describe(path: str, item: LiveVariable | Value) -> str:
    shape = ", ".join(map(str, item.shape))
    return f"{path} [{shape}] {item.dtype}"


def _columns(cells: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    width = min(max(len(left) for _, left, _ in cells), _WIDEST)
    for mark, left, right in cells:
        yield f"{mark:1} {left:{width}}  {right}".rstrip()


def one_sided(found: Iterable[Row]) -> tuple[list[LiveVariable], list[Value]]:
    """What only the model has, what only the checkpoint has."""
    several = list(found)
    return (
        [row.live for row in several if row.live is not None and row.value is None],
        [row.value for row in several if row.value is not None and row.live is None],
    )
