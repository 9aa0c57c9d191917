"""How far a runtime other than TensorFlow may be from the model: the option, and its defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

OPTION = "max-error"
TFJS = {"float16": 0.01, "uint16": 1e-3, "uint8": 0.05}
TFLITE = {"float16": 0.01, "dynamic-range": 0.05, "int8": 0.1}
"""Ways of quantising to what they may cost."""
ROUNDING = 1e-4
"""Where nothing is quantised: several times what well-behaved networks were measured to lose."""


def max_error_schema(defaults: Mapping[str, float], example: float) -> Mapping[str, object]:
    """`defaults`: way of quantising to what it may cost."""
    known = "".join(f"`{how}` {value:g}, " for how, value in defaults.items())
    default = f"{f'for {known}else ' if known else ''}{ROUNDING:g}"
    return {
        "type": "number",
        "exclusiveMinimum": 0,
        "examples": [example],
        "description": (
            "Largest difference from the model that passes, as a fraction of the output's spread "
            f"(largest minus smallest ordinary value). Default: {default} "
            "where `verify` declares no tolerance."
        ),
    }


def max_error(options: Mapping[str, object], default: float | None = None) -> float | None:
    return cast("float | None", options.get(OPTION, default))
