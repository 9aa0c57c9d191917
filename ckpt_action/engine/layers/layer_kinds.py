"""Layers as words that can be compared: of the architecture in a file, or of a live model."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_TELLING = (
    "activation", "recurrent_activation", "strides", "padding", "dilation_rate", "pool_size",
    "epsilon", "scale", "offset", "size", "interpolation", "cropping", "go_backwards",
    "return_sequences", "merge_mode", "reset_after", "target_shape", "dims", "n", "max_value",
    "threshold", "keepdims", "data_format", "negative_slope", "alpha", "axis", "mask_zero",
    "groups", "use_scale",
)  # fmt: skip
"""Settings that decide what a layer computes, and that both Kerases write alike."""
_IDLE = re.compile(
    r"InputLayer|Identity|ActivityRegularization|GaussianNoise|(Gaussian|Alpha)?Dropout"
    r"|SpatialDropout[123][Dd]|Random(Flip|Rotation|Zoom|Translation|Height|Width|Shear|Contrast"
    r"|Brightness|Hue|Saturation|Sharpness|Posterization|Grayscale|Invert|Erasing|Perspective"
    r"|GaussianBlur|ElasticTransform|ColorJitter|ColorDegeneration)|MixUp|CutMix|AugMix|RandAugment"
)
"""Layers that pass on what they get where nothing is trained."""
_OPERATION = re.compile(r"TFOpLambda|SlicingOpLambda|TensorFlowOpLayer|ClassMethod|InstanceMethod")
"""Operations between layers: either Keras has its own form of them."""


ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}
"""Functions that Keras 2 names otherwise."""


def described(config: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    """Class to the settings of each of its layers, nested models included."""
    found: dict[str, list[dict[str, str]]] = {}
    for kind, settings in _layers(config):
        found.setdefault(kind, []).append(settings)
    return found


def operations(config: Mapping[str, Any]) -> set[str]:
    """Classes of operations between layers, as far as it tells: legacy files call them layers."""
    found: set[str] = set()
    for layer in _dicts(config.get("layers")):
        kind, inner = str(layer.get("class_name", "")), layer.get("config")
        if is_operation(layer, kind):
            found.add(kind)
        elif isinstance(inner, Mapping):
            found |= operations(inner)
    return found


def in_words(
    ours: Mapping[str, list[dict[str, str]]], others: Mapping[str, list[dict[str, str]]]
) -> Counter[str]:
    """Each layer of `ours` with the settings that every layer of its class tells on both sides."""
    words: Counter[str] = Counter()
    for kind, layers in ours.items():
        told = [*layers, *others.get(kind, ())]
        keys = [key for key in _TELLING if all(key in settings for settings in told)]
        for settings in layers:
            shown = ", ".join(f"{key}={settings[key]}" for key in keys)
            words[f"{kind}({shown})"] += 1
    return words


def is_idle(kind: str) -> bool:
    """Whether layers of this class, or whose class Keras writes so in a file, compute nothing."""
    return bool(_IDLE.fullmatch(kind))


def unnumbered(name: str) -> str:
    """`conv2d_3` is the fourth `conv2d`."""
    return re.sub(r"_\d+$", "", name)


def _layers(config: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    for layer in _dicts(config.get("layers")):
        kind, inner = plain(str(layer.get("class_name", ""))), layer.get("config")
        if not isinstance(inner, Mapping) or is_idle(kind) or is_operation(layer, kind):
            continue
        if isinstance(inner.get("layers"), list):
            yield from _layers(inner)
        else:
            keys = (key for key in _TELLING if key in inner and _tells(kind, key))
            yield kind, {key: _setting(inner[key]) for key in keys}


def _tells(kind: str, key: str) -> bool:
    """The Kerases count the axes of normalisations from other ends."""
    return key != "axis" or not kind.endswith("Normalization")


def plain(kind: str) -> str:
    """Without the package of a registered class, and what TensorFlow 1 put around the names."""
    return re.sub(r"V[12]$", "", kind.rpartition(">")[2].removeprefix("CuDNN"))


def _dicts(value: Any) -> Iterable[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def is_operation(layer: Mapping[str, Any], kind: str) -> bool:
    return bool(_OPERATION.fullmatch(kind)) or ".ops." in f"{layer.get('module')}."


def _setting(value: Any) -> str:
    if isinstance(value, Mapping):  # a function, as an object
        inner = value.get("config")
        value = inner if isinstance(inner, str) else value.get("class_name")
    if value is None:
        return "linear"
    if isinstance(value, float):
        return f"{value:.6g}"
    return ALIASES.get(value, value) if isinstance(value, str) else json.dumps(value, default=str)
