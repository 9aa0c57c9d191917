"""Where two architectures are begun to be compared."""

from __future__ import annotations

from collections.abc import Iterator

from ckpt_action.engine.layers.layer_kinds import unnumbered
from ckpt_action.engine.layers.wiring import Layer, Tensor, Wiring
from ckpt_action.engine.restore.match.saved_state import snake

End = tuple[str, Tensor, Tensor]
"""What it is called, and the tensor of either side."""


def ends(theirs: Wiring, ours: Wiring) -> Iterator[End]:
    """The outputs, by their names where both have the same, else by their places; of a model with
    more or fewer outputs the layers that a person gave the same name."""
    if len(theirs.outputs) == len(ours.outputs):
        by_name = theirs.outputs.keys() == ours.outputs.keys()
        pairs = zip(theirs.outputs.items(), ours.outputs.values(), strict=True)
        for (name, tensor), other in pairs:
            called = f"output {name.strip('/') or '0'}"
            yield called, tensor, ours.outputs[name] if by_name else other
        return
    for name, layer in theirs.layers.items():
        if same_given_name(layer, ours.layers.get(name)):
            for call in range(len(layer.calls)):
                first, second = (
                    Tensor(name, call + side.skipped.get(name, 0), 0) for side in (theirs, ours)
                )
                yield name, first, second


def same_given_name(one: Layer, other: Layer | None) -> bool:
    """Not a name that Keras counted."""
    return (
        other is not None
        and one.kind == other.kind
        and len(one.calls) == len(other.calls)
        and not one.operation
        and unnumbered(one.name) != snake(one.kind)
    )
