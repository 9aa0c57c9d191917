"""Stored variables that training keeps beside the trained ones, as statistics of batches.

Batch normalization in training mode takes mean and variance from the batch. Where it writes none
(a TF1 graph keeps its updates apart, own layers may keep them in Python) all that shows is that
nothing depends on the stored ones, while what was trained beside them is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ckpt_action.engine.metagraph.module import GraphModel
from ckpt_action.engine.records import PassedOver, Restored, TracedSignature
from ckpt_action.engine.trace.unread import derived_variables


@dataclass(frozen=True, kw_only=True)
class StoredVariable:
    path: str
    shape: tuple[int, ...]
    trained: bool


def stored_variables(restored: Restored) -> tuple[StoredVariable, ...]:
    """All of floating point, but for optimizers' and what layers derive constants from."""
    model = restored.rebuilt.model
    if isinstance(model, GraphModel):
        every = [StoredVariable(path=p, shape=s, trained=t) for p, s, t in model.floats]
        paths = {one.path for one in every}
        return tuple(one for one in every if _owner(one.path) not in paths)  # else it is a slot
    aside = set(restored.binding.state)
    derived = derived_variables(restored.rebuilt)
    return tuple(
        StoredVariable(path=v.path, shape=tuple(v.variable.shape), trained=v.variable.trainable)
        for v in restored.variables
        if v.source and v.path not in aside and v.variable.dtype.is_floating
        if id(v.variable) not in derived
    )


def beside_statistics(
    restored: Restored, traced: Sequence[TracedSignature]
) -> list[TracedSignature]:
    """`traced` with what each signature reads of it, and what it passes over."""
    stored = stored_variables(restored)
    kept = {one.path for one in stored if not one.trained and one.shape}
    reads = [{v.path for v in one.variables} for one in traced]
    every = frozenset[str]().union(*reads)
    return [
        replace(
            one,
            untrained=tuple(v for v in one.variables if v.path in kept),
            passed_over=passed_over(stored, read, every),
        )
        for one, read in zip(traced, reads, strict=True)
    ]


def passed_over(
    stored: Sequence[StoredVariable], read: Collection[str], read_by_any: Collection[str]
) -> PassedOver:
    """`read`: paths of what the signature captures, `read_by_any` of what any signature does."""
    here = [one for one in stored if one.path in read]
    copied = {(_owner(one.path), one.shape) for one in here if not _is_vector(one.shape)}
    rest = [
        one
        for one in stored
        if one.path not in read and (_owner(one.path), one.shape) not in copied
    ]
    owners = {_owner(one.path) for one in here} - {""}
    beside = [o for o in rest if not o.trained and o.shape and _owner(o.path) in owners]
    vectors = Counter((_owner(one.path), one.shape) for one in beside if _is_vector(one.shape))
    affine = {(_owner(one.path), one.shape) for one in here}
    pairs = {key for key, count in vectors.items() if count > 1 and key in affine}
    lone = _statistics_alone([one for one in rest if one.path not in read_by_any])
    found = {one.path: (_owner(one.path), one.shape) for one in (*beside, *lone)}
    alike = Counter(found.values())
    return PassedOver(
        any=tuple(sorted(found)),
        alike=tuple(sorted(path for path, kind in found.items() if alike[kind] > 1)),
        pairs=tuple(sorted(o.path for o in beside if (_owner(o.path), o.shape) in pairs)),
    )


def _statistics_alone(unread: Sequence[StoredVariable]) -> list[StoredVariable]:
    """Vectors, and two scalars of one owner, but for those of a part that no signature uses: its
    trained matrix is unread too, or what was trained beside them."""
    scalars = Counter(_owner(one.path) for one in unread if not one.shape)
    matrices = [one for one in unread if one.trained and one.shape and not _is_vector(one.shape)]
    parts = {_part(one.path) for one in matrices}
    owners = {_owner(one.path) for one in unread if one.trained} if matrices else set()
    return [
        one
        for one in unread
        if _is_vector(one.shape) or scalars[_owner(one.path)] > 1
        if _part(one.path) not in parts and _owner(one.path) not in owners
    ]


def _part(path: str) -> str:
    """The attribute of the model that it lies below; of the model itself, its own name."""
    return path.partition("/")[0]


def _is_vector(shape: Sequence[int]) -> bool:
    """Also in the form that broadcasts over images: `(1, 1, 1, 8)`."""
    return bool(shape) and sum(size > 1 for size in shape) <= 1


def _owner(path: str) -> str:
    return path.rpartition("/")[0]
