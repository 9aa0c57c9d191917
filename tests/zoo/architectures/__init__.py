"""Small models written the way people write them, one file per way of building."""

from architectures import (
    convolution,
    functional,
    modules,
    precision,
    preprocessing,
    recurrent,
    sequential,
    subclassed,
    transformers,
    tutorials,
    variables,
)
from architectures.registry import ARCHITECTURES, SIZES, Architecture, Input

__all__ = [
    "ARCHITECTURES",
    "SIZES",
    "Architecture",
    "Input",
    "convolution",
    "functional",
    "modules",
    "precision",
    "preprocessing",
    "recurrent",
    "sequential",
    "subclassed",
    "transformers",
    "tutorials",
    "variables",
]
