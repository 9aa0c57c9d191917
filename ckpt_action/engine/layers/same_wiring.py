"""Two architectures, walked together from their outputs to their inputs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from ckpt_action.engine.layers.paths import Place, Side, named, parameters, tensors
from ckpt_action.engine.layers.settings import compared, differing
from ckpt_action.engine.layers.wiring import Layer, Tensor, leaves
from ckpt_action.engine.layers.words import told, with_words

Apart = tuple[str, str]
"""The same thing in words, as the file has it and as the model has it."""


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
        """Empty where the models compute the same from equal weights, or their outputs are too
        different to be paired: other layers are then told of anyway."""
        theirs, ours = self._stored.wiring.outputs, self._live.wiring.outputs
        if len(theirs) != len(ours):
            return []
        for name, one, other in _paired(theirs, ours):
            end = f"output {name.strip('/') or '0'}"
            self._todo.append((Place((), one), Place((), other), (end, end)))
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
            self._follow_tensors(one, other, words)
            return
        partner = self._partners.setdefault(one.layer, other.layer)
        weighs = bool(getattr(live, "weights", ()))
        if not _same_kind(theirs, ours) or (weighs and partner != other.layer):
            yield f"{fed[0]} fed by {words[0]}", f"{fed[1]} fed by {words[1]}"
        elif theirs.kind == "InputLayer":
            if not self._same_input(one, other):
                yield f"{fed[0]} fed by {words[0]}", f"{fed[1]} fed by {words[1]}"
        else:
            yield from self._settings(theirs, ours, live, words)
            yield from self._arguments(one, other, live, words)

    def _settings(self, theirs: Layer, ours: Layer, live: Any, words: Apart) -> Iterator[Apart]:
        keras_own = live is None or type(live).__module__.split(".")[0] in ("keras", "tf_keras")
        if theirs.operation != ours.operation:
            return
        configs = with_words(theirs.config, ours.config, live)
        found = differing(theirs.kind, *configs, keras_own=keras_own)
        if found:
            yield (
                f"{words[0]} with {found.key}={found.stored}",
                f"{words[1]} with {found.key}={found.live}",
            )

    def _arguments(self, one: Place, other: Place, live: Any, words: Apart) -> Iterator[Apart]:
        names = parameters(live)
        theirs = self._telling(named(self._stored.call(one), names))
        ours = self._telling(named(self._live.call(other), names))
        if theirs.keys() != ours.keys() and self._across:
            self._follow_tensors(one, other, words)
            return
        if theirs.keys() != ours.keys():
            lists = [", ".join(sorted(call)) for call in (theirs, ours)]
            yield f"{words[0]} called with {lists[0]}", f"{words[1]} called with {lists[1]}"
            return
        for place, value in theirs.items():
            pair = value, ours[place]
            if all(isinstance(item, Tensor) for item in pair):
                below = self._stored.below(one, pair[0]), self._live.below(other, pair[1])
                self._todo.append((*below, words))
            elif found := compared(
                _comparable(value), _comparable(ours[place]), place.strip("/"), keras_own=True
            ):
                yield (
                    f"{words[0]} called with {found.key}={found.stored}",
                    f"{words[1]} called with {found.key}={found.live}",
                )

    def _telling(self, call: Mapping[str, Any]) -> dict[str, Any]:
        """Leaves of the arguments, without those that mean nothing, or no more than a default."""
        found = {}
        for name, argument in call.items():
            if not self._masks and name.endswith("mask") and name != "attention_mask":
                continue
            whole = isinstance(argument, Mapping) and "class_name" in argument  # array or slice
            entries = [(name, argument)] if whole else leaves(argument, name)
            found.update(
                {path: leaf for path, leaf in entries if leaf is not None and leaf is not False}
            )
        return found

    def _follow_tensors(self, one: Place, other: Place, words: Apart) -> None:
        """Between the generations only that operations have as many tensors can be told."""
        theirs, ours = (
            [] if side.layer(place).kind == "InputLayer" else tensors(side.call(place))
            for side, place in ((self._stored, one), (self._live, other))
        )
        if len(theirs) == len(ours):
            for first, second in zip(theirs, ours, strict=True):
                below = self._stored.below(one, first), self._live.below(other, second)
                self._todo.append((*below, words))

    def _same_input(self, one: Place, other: Place) -> bool:
        theirs, ours = self._stored.wiring.inputs, self._live.wiring.inputs
        if {t.layer for t in theirs} == {t.layer for t in ours}:
            return one.tensor.layer == other.tensor.layer
        return len(theirs) != len(ours) or self._stored.feeds(one) == self._live.feeds(other)


def _paired(
    theirs: Mapping[str, Tensor], ours: Mapping[str, Tensor]
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Outputs by their names where they have the same, else by their places."""
    by_name = theirs.keys() == ours.keys()
    for (name, tensor), other in zip(theirs.items(), ours.values(), strict=True):
        yield name, tensor, ours[name] if by_name else other


def _same_kind(theirs: Layer, ours: Layer) -> bool:
    if theirs.operation != ours.operation:  # `a + b` is the layer Add
        return theirs.kind.lower() == ours.kind.lower()
    return theirs.kind == ours.kind


def _is_default(argument: Any) -> bool:
    """`training=False` is what nobody says at inference."""
    return argument is None or argument is False


def _comparable(item: Any) -> Any:
    return "a tensor" if isinstance(item, Tensor) else item
