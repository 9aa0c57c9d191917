"""By which rules Keras 2 and Keras 3 give masks to layers, and where they give different ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import tensorflow as tf

from ckpt_action.engine.semantics.mask_calls import (
    MaskedCall,
    Masks,
    is_keras_own,
    reads_masks,
    same_masks,
    same_value,
)

Reach = Literal["here", "reader", "attached"]
"""Whom another mask makes compute something else: the layer itself, any layer called later that
reads masks, or one that takes them off its inputs and is not called with `mask`. A Functional model
of Keras 3 works masks out while it is built, and calls many of its layers with them."""

_INSTEAD = ", or pass `mask` to the layer yourself"


@dataclass(frozen=True)
class Difference:
    words: str
    reach: Reach
    instead: str = ""


@dataclass
class TakenOff:
    """Masks that MultiHeadAttention took off its inputs, or would in Keras 3."""

    kept: dict[int, tuple[Any, Any, str]] = field(default_factory=dict)
    """Identity of the tensor to the tensor, its mask, and the layer's name."""

    def by(self, call: MaskedCall) -> None:
        for name in ("query", "value", "key"):
            tensor = call.given.get(name)
            if call.masks_of(tensor):
                self.kept[id(tensor)] = tensor, call.masks[id(tensor)], call.layer.name

    def layers(self, value: Any) -> list[str]:
        found = (self.kept.get(id(one)) for one in tf.nest.flatten(value))
        return [name for _, _, name in filter(None, found)]

    def masks(self, call: MaskedCall, inputs: Any) -> list[Any | None]:
        """Of every input, as if they had been left on."""
        kept = {place: mask for place, (_, mask, _) in self.kept.items()}
        left = {place: mask for place, mask in call.masks.items() if mask is not None}
        return [(kept | left).get(id(x)) for x in inputs]


def difference(call: MaskedCall, taken_off: TakenOff, keras: Any) -> Difference | None:
    """How `call` goes another way in the other Keras, as far as masks are concerned."""
    kind = type(call.layer).compute_mask
    if kind in (keras.layers.Add.compute_mask, keras.layers.Concatenate.compute_mask):
        found = _merged(call, taken_off, keras)
    else:
        found = _given(call)
    return found or _without(call, taken_off, keras)


def _merged(call: MaskedCall, taken_off: TakenOff, keras: Any) -> Difference | None:
    inputs, layers = call.first, keras.layers
    found = taken_off.masks(call, inputs)
    there = tuple(mask for mask in found if mask is not None)
    if not there:
        return None
    count = f"merges {len(inputs)} inputs of which {len(there)} {_have(len(there))}"
    if isinstance(call.layer, layers.Multiply | layers.Maximum | layers.Minimum):
        return Difference(
            f"{count}, and Keras 3 leaves what is masked out of the result, Keras 2 does not",
            "here",
        )
    alike = len(there) == len(inputs) and all(same_value(there[0], one) for one in there[1:])
    if isinstance(call.layer, layers.Concatenate):
        rank = inputs[0].shape.rank
        plain = rank is not None and all(mask.shape.rank == rank - 1 for mask in there)
        if plain and (alike or call.layer.axis not in (-1, rank - 1)):
            return None
    elif alike:
        return None
    if len(there) < len(inputs):
        words = f"{count}, and Keras 2 masks the result by those there are, Keras 3 not at all"
    else:
        words = (
            f"merges {len(inputs)} inputs with masks of their own, and Keras 2 masks what any of "
            "them masks, Keras 3 what all of them mask"
        )
    return Difference(words, "reader")


def _given(call: MaskedCall) -> Difference | None:
    """Whether `mask` and its kind are filled with other masks, or other ones are handed on."""
    old, new = _filled(call)
    if "mask" in call.given and not call.explicit and call.masks_of(call.first):
        return Difference(
            "is called with `mask=None` on a masked input, and Keras 3 takes or hands on the mask "
            "of the input then, Keras 2 none",
            "here" if new else "attached",
            _INSTEAD,
        )
    if not same_masks(old, new):
        return Difference(
            f"gets a masked input and several tensors ({', '.join(call.tensors)}), and then Keras "
            "2 hands the mask to it, Keras 3 does not",
            "here",
            _INSTEAD,
        )
    several = call.tensors if len(call.tensors) > 1 else {}
    named = [
        f"`{name}_mask`"
        for name, value in several.items()
        if f"{name}_mask" in call.parameters and call.given.get(f"{name}_mask") is None
        if call.masks_of(value)
    ]
    if named and not is_keras_own(call.layer):  # its own ask the inputs for masks in Keras 2
        return Difference(
            f"takes {', '.join(named)}, which Keras 3 fills with the mask of the input, Keras 2 "
            "does not",
            "here",
            _INSTEAD,
        )
    return None


def _filled(call: MaskedCall) -> tuple[Masks, Masks]:
    """The masks that `mask` gets in Keras 2, and in Keras 3."""
    takes_any = any(p.kind is p.VAR_KEYWORD for p in call.parameters.values())
    old = call.explicit
    if "mask" not in call.given and (call.takes_mask or takes_any):
        old = call.masks_of(call.first)
    alone = next(iter(call.tensors.values())) if len(call.tensors) == 1 else None
    return old, call.explicit or (call.masks_of(alone) if call.takes_mask else ())


def _without(call: MaskedCall, taken_off: TakenOff, keras: Any) -> Difference | None:
    """Whether the layer gets a tensor whose mask was taken off."""
    reads = reads_masks(call.layer, keras) and not call.explicit
    hands_on = call.layer.supports_masking and not call.explicit
    layers = taken_off.layers(dict(call.given) if reads else call.first if hands_on else None)
    if not layers:
        return None
    return Difference(
        f"gets what {layers[0]} (MultiHeadAttention) got too, which takes the mask off it in Keras "
        "3, and does not in Keras 2",
        "here" if reads else "attached",
        _INSTEAD if call.takes_mask else "",
    )


def _have(count: int) -> str:
    return "has a mask" if count == 1 else "have masks"
