"""Two architectures, walked together from their outputs to their inputs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from ckpt_action.engine.layers.calls import (
    COMMUTATIVE,
    constants_in,
    reordered,
    telling,
    tensor_pairs,
    tensors_in,
)
from ckpt_action.engine.layers.ends import ends
from ckpt_action.engine.layers.layer_settings import Apart, in_words, settings_apart, wrapped
from ckpt_action.engine.layers.paths import Place, Side, named, parameters
from ckpt_action.engine.layers.settings import compared
from ckpt_action.engine.layers.wiring import Layer, Tensor
from ckpt_action.engine.layers.words import told

Pairs = list[tuple[Tensor, Tensor]]


class Comparison:
    """Layers are paired by their places, whatever their names are."""

    def __init__(self, stored: Side, live: Side, *, masks: bool, across: bool) -> None:
        """`masks`: both sides note implicit masks alike. `across`: the generations of Keras differ,
        and with them the operations between layers."""
        self._stored, self._live = stored, live
        self._masks, self._across = masks, across
        self._partners: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._seen: set[tuple[Place, Place]] = set()
        self._todo: deque[tuple[Place, Place, Apart]] = deque()

    def differences(self) -> list[Apart]:
        """Empty where the models compute the same from equal weights."""
        theirs, ours = self._stored.wiring, self._live.wiring
        for name, one, other in ends(theirs, ours):
            self._todo.append((Place((), one), Place((), other), (name, name)))
        found: list[Apart] = []
        while self._todo:
            found += self._visit(*self._todo.popleft())
        return found

    def _visit(self, one: Place, other: Place, fed: Apart) -> Iterator[Apart]:
        one, other = self._stored.settled(one), self._live.settled(other)
        if (one, other) in self._seen:
            return
        self._seen.add((one, other))
        theirs, ours = self._stored.layer(one), self._live.layer(other)
        live = self._live.live(other)
        words = told(theirs), told(ours)
        if self._across and (theirs.operation or ours.operation):
            self._follow_operations(one, other)
            return
        partner = self._partners.setdefault(one.layer, other.layer)
        weighs = bool(getattr(live, "weights", ()))
        if not _same_kind(theirs, ours) or (weighs and partner != other.layer):
            yield f"{fed[0]} fed by {words[0]}", f"{fed[1]} fed by {words[1]}"
        elif theirs.kind == "InputLayer":
            if not self._same_input(one, other):
                yield f"{fed[0]} fed by {words[0]}", f"{fed[1]} fed by {words[1]}"
        else:
            yield from self._settings(theirs, ours, live)
            yield from self._arguments(one, other, live)

    def _settings(self, theirs: Layer, ours: Layer, live: Any) -> Iterator[Apart]:
        if _noted_otherwise(theirs, ours):
            return
        yield from settings_apart(theirs, ours, live)
        for key, stored, held in wrapped(theirs, ours):
            sides = Side(stored), Side(held, getattr(live, key, None))
            within = Comparison(*sides, masks=self._masks, across=self._across).differences()
            yield from (
                (f"{told(theirs)}: {one}", f"{told(ours)}: {other}") for one, other in within
            )

    def _arguments(self, one: Place, other: Place, live: Any) -> Iterator[Apart]:
        theirs, ours = self._stored.layer(one), self._live.layer(other)
        names = [] if theirs.operation or ours.operation else parameters(live)
        given = telling(named(self._stored.call(one), names), masks=self._masks)
        held = telling(named(self._live.call(other), names), masks=self._masks)
        noted_otherwise = self._across or _noted_otherwise(theirs, ours)
        unknown = theirs.operation is None
        pairs = tensor_pairs(given, held, by_order=noted_otherwise or unknown)
        if pairs is None:
            if not self._across:
                lists = [", ".join(tensors_in(call)) for call in (given, held)]
                yield f"{told(theirs)} called with {lists[0]}", f"{told(ours)} with {lists[1]}"
            return
        self._follow(one, other, self._sorted(one, other, pairs))
        if not noted_otherwise:
            constants = constants_in(given), constants_in(held)
            found = compared(*constants, "", keras_own=True)
            if found:
                yield in_words(theirs, ours, "called with", found)

    def _follow_operations(self, one: Place, other: Place) -> None:
        """Each generation has operations of its own; their tensors are followed where they have as
        many."""
        calls = []
        for side, place in ((self._stored, one), (self._live, other)):
            is_input = side.layer(place).kind == "InputLayer"
            calls.append({} if is_input else telling(side.call(place), masks=False))
        pairs = tensor_pairs(calls[0], calls[1], by_order=True) or []
        self._follow(one, other, self._sorted(one, other, pairs))

    def _sorted(self, one: Place, other: Place, pairs: Pairs) -> Pairs:
        """Terms of a sum by the layers from which they come: by their names, or their classes."""
        kinds = self._stored.layer(one).kind.lower(), self._live.layer(other).kind.lower()
        if not pairs or not COMMUTATIVE.intersection(kinds):
            return pairs

        def stored(tensor: Tensor) -> Layer:
            return self._stored.layer(self._stored.settled(self._stored.below(one, tensor)))

        def live(tensor: Tensor) -> Layer:
            return self._live.layer(self._live.settled(self._live.below(other, tensor)))

        by_name = (lambda t: stored(t).name, lambda t: live(t).name)
        by_kind = (lambda t: stored(t).kind, lambda t: live(t).kind)
        return reordered(pairs, by_name, by_kind)

    def _follow(self, one: Place, other: Place, pairs: Pairs) -> None:
        words = told(self._stored.layer(one)), told(self._live.layer(other))
        for first, second in pairs:
            below = self._stored.below(one, first), self._live.below(other, second)
            self._todo.append((*below, words))

    def _same_input(self, one: Place, other: Place) -> bool:
        theirs, ours = self._stored.wiring.inputs, self._live.wiring.inputs
        if {t.layer for t in theirs} == {t.layer for t in ours}:
            return one.tensor.layer == other.tensor.layer
        return len(theirs) != len(ours) or self._stored.feeds(one) == self._live.feeds(other)


def _same_kind(theirs: Layer, ours: Layer) -> bool:
    if theirs.operation is None or _noted_otherwise(theirs, ours):  # `a + b` is the layer Add
        return theirs.kind.lower() == ours.kind.lower()
    return theirs.kind == ours.kind


def _noted_otherwise(theirs: Layer, ours: Layer) -> bool:
    """Whether one is an operation, and the other a layer."""
    return theirs.operation is not None and theirs.operation != ours.operation
