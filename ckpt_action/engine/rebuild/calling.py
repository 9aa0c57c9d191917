"""How a model takes its inputs: by keyword, in order, as one list or dict, or as Keras nested them.

Every way calls in inference mode: `training=False`, or the same under another name, goes to whoever
takes it, and Keras layers that are not told anything see an enclosing call that says so.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import tensorflow as tf

from ckpt_action.config.records import Signature
from ckpt_action.engine import internals
from ckpt_action.engine.keras_versions import is_graph_model, keras_family, loaded_keras
from ckpt_action.engine.names import legal_name
from ckpt_action.engine.objects import walk
from ckpt_action.engine.rebuild.keras_inputs import input_structure, model_inputs
from ckpt_action.engine.rebuild.own_inputs import Pairs
from ckpt_action.engine.rebuild.packed import Packed, packed
from ckpt_action.engine.rebuild.renamed import in_places, refuse_other_order, refuse_swapped
from ckpt_action.engine.rebuild.signatures import find_method, inference_arguments, parameters
from ckpt_action.engine.rebuild.styles import Style, possible_styles
from ckpt_action.errors import ExitCode, fail


@dataclass(frozen=True, kw_only=True)
class PlainCall:
    """Calls `target` with the named tensors in one `style`."""

    target: Any
    style: Style
    names: tuple[str, ...]
    training: Mapping[str, bool] = field(default_factory=dict)
    by_position: int = 0
    """Inputs in front that are passed without their names."""
    taken_as: tuple[str, ...] = ()
    """The model's names of several inputs that are declared under others, in their places."""
    packed: Packed | None = None
    """What tells which is which where one argument holds several inputs."""

    def __call__(self, tensors: Mapping[str, Any]) -> Any:
        ordered = [tensors[name] for name in self.names]
        named = dict(zip(self.names, ordered, strict=True))
        call = _converted(self.target)
        if self.style == "keywords":
            first = ordered[: self.by_position]
            rest = {name: named[name] for name in self.names[self.by_position :]}
            return call(*first, **rest, **self.training)
        if self.style == "positional":
            return call(*ordered, **self.training)
        return call(ordered if self.style == "list" else named, **self.training)


@dataclass(frozen=True, kw_only=True)
class GraphModelCall:
    """Calls a Functional or Sequential model with the structure that it was made with."""

    model: Any
    names: Mapping[int, str]
    """Identity of the model's symbolic input to the signature's name for it."""
    taken_as: tuple[str, ...] = ()
    packed: Packed | None = None
    """As of a `PlainCall`."""

    def pairs(self, signature: Signature) -> Pairs:
        """The inputs of `signature` in the order of the model's."""
        declared = {spec.name: spec for spec in signature.inputs}
        return [(declared[self.names[id(own.tensor)]], own) for own in model_inputs(self.model)]

    def __call__(self, tensors: Mapping[str, Any]) -> Any:
        packed = tf.nest.map_structure(
            lambda leaf: tensors[self.names[id(leaf)]], input_structure(self.model)
        )
        return _converted(self.model)(packed, training=False)


@dataclass(frozen=True, kw_only=True)
class EnclosedCall:
    """Runs another call inside a Keras layer that is called with `training=False`."""

    layer: Any
    taken_as: tuple[str, ...]
    packed: Packed | None
    """As of the call inside."""

    def __call__(self, tensors: Mapping[str, Any]) -> Any:
        return self.layer(dict(tensors), training=False)


def _converted(target: Any) -> Any:
    """`target` as `tf.function` would trace it: with AutoGraph, which our own frames do without."""
    if tf.executing_eagerly():
        return target
    return internals.converted(target if inspect.isroutine(target) else target.__call__)


def possible_calls(model: Any, signature: Signature) -> tuple[Any, ...]:
    """The ways in which `model` may take the inputs of `signature`, the likeliest first."""
    if signature.method == "__call__" and is_graph_model(model):
        return (_graph_model_call(model, signature),)
    target = find_method(model, signature.method)
    names = tuple(spec.name for spec in signature.inputs)
    taken = parameters(model, signature.method)
    training = inference_arguments(model, signature)
    styles = possible_styles(names, taken, training)
    own = [p.name for p in taken if p.name not in training]
    if "positional" in styles:
        refuse_other_order(signature, own)
    first = names[:1] == tuple(p.name for p in taken[:1] if p.kind is p.POSITIONAL_OR_KEYWORD)
    calls = [
        PlainCall(
            target=target,
            style=style,
            names=names,
            training=training,
            by_position=int(first and keras_family(target) == "keras-2"),
            taken_as=in_places(names, own) if style == "positional" else (),
            packed=packed(style, taken, own, target),
        )
        for style in styles
    ]
    if keras_family(target) is not None and "training" in training:
        return tuple(calls)
    return tuple(_enclosed(model, call) for call in calls)


def _graph_model_call(model: Any, signature: Signature) -> GraphModelCall:
    own = model_inputs(model)
    names = [spec.name for spec in signature.inputs]
    known = {legal_name(each.name) for each in own if each.name}
    legal = {legal_name(name): name for name in names}
    taken_as: tuple[str, ...] = ()
    if set(legal) == known and len(known) == len(own) == len(names):
        by_tensor = {id(each.tensor): legal[legal_name(each.name)] for each in own}
    elif len(names) == len(own) and not known.intersection(legal) and not _is_unordered(model):
        by_tensor = {id(each.tensor): name for each, name in zip(own, names, strict=True)}
        taken_as = in_places(names, [legal_name(each.name or "") for each in own])
        refuse_swapped(signature, taken_as)
    else:
        shown = ", ".join(f"{each.name or 'inputs'}: {each.dtype}{each.shape}" for each in own)
        raise fail(
            ExitCode.SIGNATURE,
            f"signature {signature.name} declares the inputs {', '.join(names)}; the model takes "
            f"{shown}.",
            hint="Declare all of them under the model's names"
            + ("." if _is_unordered(model) else ", or all under new names in the model's order."),
        )
    unnamed = Packed(kind="list") if len(own) > 1 and not known else None
    return GraphModelCall(model=model, names=by_tensor, taken_as=taken_as, packed=unnamed)


def _is_unordered(model: Any) -> bool:
    """A dict of several inputs: its order is that of the sorted keys, not of anybody's code."""
    structure = input_structure(model)
    return isinstance(structure, Mapping) and len(structure) > 1


def _enclosed(model: Any, call: PlainCall) -> Any:
    for _, item in walk(model):
        family = keras_family(item)
        if family is not None:
            layer = _enclosing_layer(3 if family == "keras-3" else 2)(call)
            return EnclosedCall(layer=layer, taken_as=call.taken_as, packed=call.packed)
    return call


@cache
def _enclosing_layer(generation: int) -> Any:
    keras = loaded_keras(generation)

    class InferenceMode(keras.layers.Layer):  # type: ignore[misc,name-defined]
        """Tells every layer called inside it that nothing is being trained."""

        def __init__(self, call: PlainCall) -> None:
            super().__init__(autocast=False, name="inference")
            object.__setattr__(self, "_plain_call", (call,))
            self.built = True

        @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
        def call(self, tensors: Mapping[str, Any], training: bool = False) -> Any:  # noqa: ARG002
            return self._plain_call[0](tensors)

    return InferenceMode
