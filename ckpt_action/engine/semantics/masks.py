"""Masks that the two Kerases hand on differently, seen while a model is traced.

Layers that merge their inputs (Add and its kind, Concatenate) also merge their masks, each Keras in
its own way. A layer that is called with several tensors gets the mask of the first one by itself in
Keras 2 alone: an LSTM with `initial_state` runs over the padding in Keras 3. And MultiHeadAttention
takes the masks off its inputs in Keras 3: what else is made of them has none.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tensorflow as tf

from ckpt_action.engine.keras_versions import loaded_keras
from ckpt_action.engine.semantics.calls import place_of
from ckpt_action.engine.semantics.change import Change
from ckpt_action.engine.semantics.mask_calls import MaskedCall, reads_masks
from ckpt_action.engine.semantics.mask_rules import Difference, Reach, TakenOff, difference


@dataclass(kw_only=True)
class _Doubt:
    change: Change
    reach: Reach
    graph: weakref.ref[Any]
    """The outermost one in which the layer was called."""

    def reaches(self, call: MaskedCall, graph: Any) -> None:
        """`call`, in `graph`, is one of a layer that reads masks."""
        if self.graph() is graph and (self.reach == "reader" or not call.explicit):
            self.reach = "here"


@dataclass(kw_only=True)
class _Watch:
    generation: str
    keras: Any
    roots: Sequence[Path]
    doubts: list[_Doubt] = field(default_factory=list)
    taken_off: TakenOff = field(default_factory=TakenOff)

    def before(self, call: MaskedCall) -> Difference | None:
        if self.doubts and reads_masks(call.layer, self.keras):
            graph = _outermost_graph()
            for doubt in self.doubts:
                doubt.reaches(call, graph)
        return difference(call, self.taken_off, self.keras)

    def after(self, call: MaskedCall, found: Difference | None, result: Any) -> None:
        if isinstance(call.layer, self.keras.layers.MultiHeadAttention):
            self.taken_off.by(call)
        if found:
            layer = call.layer
            change = Change(
                place=f"{layer.name} ({type(layer).__name__})",
                here=self.generation,
                difference=found.words,
                instead=found.instead,
                where=place_of(tf.nest.flatten(result)[0], self.roots),
            )
            graph = weakref.ref(_outermost_graph())
            self.doubts.append(_Doubt(change=change, graph=graph, reach=found.reach))


@contextmanager
def masked_calls(roots: Sequence[Path]) -> Iterator[list[Change]]:
    """Filled at the end with each call inside whose masks are others in the other Keras.

    Another mask counts only where a layer that reads masks is called later, in the same graph.
    """
    changes: list[Change] = []
    watches = [
        _Watch(generation=str(generation), keras=keras, roots=roots)
        for generation in (3, 2)
        if (keras := loaded_keras(generation)) is not None
    ]
    with ExitStack() as stack:
        for watch in watches:
            kind = watch.keras.layers.Layer
            stack.callback(setattr, kind, "__call__", kind.__call__)
            kind.__call__ = _watched(kind.__call__, watch)
        yield changes
    doubts = [doubt for watch in watches for doubt in watch.doubts]
    changes += [doubt.change for doubt in doubts if doubt.reach == "here"]


def _watched(original: Callable[..., Any], watch: _Watch) -> Callable[..., Any]:
    @functools.wraps(original)
    def __call__(self: Any, *arguments: Any, **options: Any) -> Any:  # noqa: N807
        call = None if tf.executing_eagerly() else MaskedCall.of(self, arguments, options)
        if call is None:
            return original(self, *arguments, **options)
        found = watch.before(call)
        result = original(self, *arguments, **options)
        watch.after(call, found, result)
        return result

    return __call__


def _outermost_graph() -> Any:
    graph = tf.compat.v1.get_default_graph()
    while hasattr(outer := getattr(graph, "outer_graph", None), "outer_graph"):
        graph = outer
    return graph
