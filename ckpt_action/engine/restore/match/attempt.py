"""Judge one way of laying the model over the checkpoint, from both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ckpt_action.config.records import Restore
from ckpt_action.engine.restore.dtypes import fits
from ckpt_action.engine.restore.names import contradicted
from ckpt_action.engine.restore.permissions import allowed, names_of, names_of_live
from ckpt_action.engine.restore.records import (
    Attempt,
    Candidate,
    LiveModel,
    LiveVariable,
    Value,
)


def judge(
    model: LiveModel,
    candidates: Mapping[str, tuple[Candidate, ...]],
    values: Iterable[Value],
    rules: Restore,
) -> Attempt:
    """`candidates` by the path of the variable; `values`: what belongs to the model's part."""
    claims = Counter(c.value.key for found in candidates.values() for c in found)
    bound: list[Candidate] = []
    unfit: list[Candidate] = []
    ambiguous: list[tuple[LiveVariable, tuple[Value, ...]]] = []
    tied: list[tuple[LiveVariable, tuple[Value, ...]]] = []
    missing: list[LiveVariable] = []
    for variable in model.own():
        found = candidates.get(variable.path, ())
        if not found:
            missing.append(variable)
        elif any(claims[c.value.key] > 1 for c in found) or not (len(found) == 1 or _tied(found)):
            ambiguous.append((variable, tuple(c.value for c in found)))
        elif not _fits(found[0]):
            unfit.append(found[0])
        else:
            bound.append(min(found, key=lambda c: c.ordered))
            if len(found) > 1:
                tied.append((variable, tuple(c.value for c in found)))
    unused = [value for value in values if not claims[value.key]]
    return Attempt(
        bound=tuple(bound),
        unfit=tuple(unfit),
        ambiguous=tuple(ambiguous),
        tied=tuple(tied),
        contradicted=contradicted(bound),
        missing=tuple(v for v in missing if not allowed(rules.allow_missing, names_of_live(v))),
        missing_allowed=tuple(v for v in missing if allowed(rules.allow_missing, names_of_live(v))),
        unused=tuple(v for v in unused if not allowed(rules.allow_unused, names_of(v))),
        unused_allowed=tuple(v for v in unused if allowed(rules.allow_unused, names_of(v))),
    )


def _tied(found: Sequence[Candidate]) -> bool:
    """Whether the variable is one that several objects of the model share, and each of them led to
    a value of its own: Keras's files hold it once for each. That these are equal is for `tied.py`
    to prove."""
    holders = [holder for candidate in found for holder in candidate.holders]
    return (
        all(c.holders and c.value.relayout is None and _fits(c) for c in found)
        and len(holders) == len(set(holders))
        and len({c.value.dtype for c in found}) == 1
    )


def _fits(candidate: Candidate) -> bool:
    value, variable = candidate.value, candidate.variable
    return value.shape == variable.shape and fits(value.dtype, variable.dtype)
