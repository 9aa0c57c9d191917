"""What two calls are given, argument by argument."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ckpt_action.engine.layers.wiring import Tensor, leaves

Arguments = Mapping[str, Any]
"""Place among the arguments to what is there, tensors or constants."""

COMMUTATIVE = frozenset({"add", "multiply", "average", "maximum", "minimum"})


def telling(call: Mapping[str, Any], *, masks: bool) -> Arguments:
    """The arguments without those that say no more than a default, as `training=False`; `masks`:
    with those that Keras finds itself."""
    found: dict[str, Any] = {}
    for name, argument in call.items():
        if not masks and name.endswith("mask") and name != "attention_mask":
            continue
        whole = isinstance(argument, Mapping) and "class_name" in argument  # array or slice
        entries = [(name, argument)] if whole else leaves(argument, name)
        found.update({path: leaf for path, leaf in entries if leaf is not None})
    return {path: leaf for path, leaf in found.items() if leaf is not False}


def tensor_pairs(
    theirs: Arguments, ours: Arguments, *, by_order: bool
) -> list[tuple[Tensor, Tensor]] | None:
    """By their places, or where the notations have other places `by_order`; None where the calls
    are not alike."""
    given, held = tensors_in(theirs), tensors_in(ours)
    if given.keys() == held.keys():
        return [(tensor, held[place]) for place, tensor in given.items()]
    if by_order and len(given) == len(held):
        return list(zip(given.values(), held.values(), strict=True))
    return None


def tensors_in(call: Arguments) -> dict[str, Tensor]:
    return {place: item for place, item in call.items() if isinstance(item, Tensor)}


def constants_in(call: Arguments) -> dict[str, Any]:
    return {place: item for place, item in call.items() if not isinstance(item, Tensor)}


def reordered(
    pairs: Iterable[tuple[Tensor, Tensor]],
    *said: tuple[Callable[[Tensor], str], Callable[[Tensor], str]],
) -> list[tuple[Tensor, Tensor]]:
    """Pairs of a sum, whose order means nothing: by the first of `said` of which both sides have
    the same, each once; as they are where none is so."""
    first, second = (list(side) for side in zip(*pairs, strict=True))
    for theirs, ours in said:
        given = {theirs(tensor): tensor for tensor in first}
        held = {ours(tensor): tensor for tensor in second}
        if given.keys() == held.keys() and len(given) == len(first):
            return [(tensor, held[name]) for name, tensor in given.items()]
    return list(zip(first, second, strict=True))
