"""What two layers of one class are set to, where both tell it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ckpt_action.engine.layers.layer_kinds import ALIASES, plain

_TRAINING = re.compile(
    r"name|trainable|dtype|seed|batch_(input_)?shape|.*_?(initializer|regularizer|constraint)"
    r"|.*drop.*"
)
"""Of any layer: what means nothing once it is trained. The dtype is that of the variables."""

_KERAS_OWN = re.compile(
    # how it is trained, or how its initial values are drawn
    r"momentum|re?norm_(clipping|momentum)|virtual_batch_size|synchronized|power_iterations"
    r"|unit_forget_bias|noise_shape|weights|lora_\w+|quantization_config"
    # how it is computed
    r"|implementation|unroll|fused|use_cudnn|flash_attention|autocast|sparse|ragged"
    # shapes: of the variables, or of what the layer is given
    r"|input_(length|shape)|(query|key|value|output)_shape|module|output_shape_\w+|function_type"
    # of stateful layers the first call begins with zeros, as that of any
    r"|stateful"
    # how the words and their weights were found; what was found is compared, or restored
    r"|max_tokens|vocabulary_size|idf_weights"
)
"""Of Keras' own layers: what does not change the values that they give, the weights being equal."""

_OF_KIND = frozenset({("Discretization", "num_bins"), ("Discretization", "epsilon")})
"""How boundaries are found; the boundaries themselves are compared."""

_RENAMED = {("LeakyReLU", "alpha"): "negative_slope"}
"""Class and key of Keras 2 to that of Keras 3."""

_REGISTERED = re.compile(r"^[\w.]+>(?=\w+$)")
"""The package in the name of a registered function."""

_UNTOLD = object()
"""The code of a function, which Python compiles otherwise in each version; a model among the
settings, whose wiring is compared."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    key: str
    stored: str
    live: str


@dataclass(frozen=True, kw_only=True)
class _Object:
    kind: str
    config: Mapping[str, Any]


def differing(
    kind: str, stored: Mapping[str, Any], live: Mapping[str, Any], *, keras_own: bool
) -> Difference | None:
    """The first setting that is another, of those that both sides tell."""
    theirs, ours = _named(kind, stored), _named(kind, live)
    for key in theirs:
        if key in ours and not _is_denied(kind, key, keras_own=keras_own):
            one, other = _plain(theirs[key], key), _plain(ours[key], key)
            if _axes_from_other_ends(kind, key, one, other):
                continue
            found = compared(one, other, key, keras_own=keras_own)
            if found:
                return found
    return None


def compared(one: Any, other: Any, key: str, *, keras_own: bool) -> Difference | None:
    """As `differing`, of two values."""
    one, other = _plain(one, key), _plain(other, key)
    if one is _UNTOLD or other is _UNTOLD:
        return None
    if isinstance(one, _Object) and isinstance(other, _Object) and one.kind == other.kind:
        below = differing(one.kind, one.config, other.config, keras_own=keras_own)
        return below and Difference(key=f"{key}.{below.key}", stored=below.stored, live=below.live)
    for place, first, second in _members(one, other):
        found = compared(first, second, f"{key}[{place}]", keras_own=keras_own)
        if found:
            return found
    if _members(one, other) or _equal(one, other):
        return None
    return Difference(key=key, stored=_shown(one), live=_shown(other))


def _equal(one: Any, other: Any) -> bool:
    """Numbers may have been rounded to float32 on one side."""
    if isinstance(one, float) or isinstance(other, float):
        try:
            return math.isclose(one, other, rel_tol=1e-6) or (math.isnan(one) and math.isnan(other))
        except TypeError:  # one of them is no number
            return False
    return bool(one == other)


def _members(one: Any, other: Any) -> list[tuple[Any, Any, Any]]:
    """Of two containers with the same places."""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [(i, *pair) for i, pair in enumerate(zip(one, other, strict=True))]
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [(key, one[key], other[key]) for key in one]
    return []


def _named(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    return {_RENAMED.get((kind, key), key): value for key, value in config.items()}


def _is_denied(kind: str, key: str, *, keras_own: bool) -> bool:
    if _TRAINING.fullmatch(key):
        return True
    return keras_own and ((kind, key) in _OF_KIND or bool(_KERAS_OWN.fullmatch(key)))


def _axes_from_other_ends(kind: str, key: str, one: Any, other: Any) -> bool:
    """The Kerases count the axes of normalisations so."""
    if key != "axis" or not kind.endswith("Normalization"):
        return False
    signs = [{str(axis).startswith("-") for axis in _listed(value)} for value in (one, other)]
    return signs[0] != signs[1]


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]


def _plain(value: Any, key: str) -> Any:
    """Without what the notations add: classes of containers, of functions and of numbers."""
    if key == "function" and isinstance(value, list):  # code, defaults and closure
        return _UNTOLD
    if isinstance(value, Mapping):
        return _unwrapped(value, key)
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        listed = list(value)
        return _plain(listed[0], key) if _is_single(listed) else listed
    if "activation" in key and (value is None or isinstance(value, str)):
        value = ALIASES.get(value or "linear", value or "linear")
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, str):
        return _REGISTERED.sub("", value)
    return getattr(value, "__name__", _UNTOLD) if callable(value) else value


def _unwrapped(value: Mapping[str, Any], key: str) -> Any:
    kind, inner = value.get("class_name"), value.get("config")
    if not isinstance(kind, str):
        return dict(value)
    if kind in ("__tuple__", "TensorShape"):
        return _plain(value.get("items", inner), key)
    if not isinstance(inner, Mapping):
        return _plain(inner, key) if isinstance(inner, str) else kind
    if kind.startswith("__") and "value" in inner:
        return _plain(inner["value"], key)
    if kind in ("__lambda__", "function") or isinstance(inner.get("layers"), list):
        return _UNTOLD
    return _Object(kind=plain(kind), config=inner)


def _is_single(listed: list[Any]) -> bool:
    return len(listed) == 1 and isinstance(listed[0], (int, float, np.generic))


def _shown(value: Any) -> str:
    if isinstance(value, _Object):
        return value.kind
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


_LONGEST = 60
