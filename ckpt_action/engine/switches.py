"""Names and values by which code is told whether it is being trained."""

from __future__ import annotations

import re

_TRAINING = frozenset({"train", "training"})
_INFERENCE = frozenset({"deterministic", "inference", "test"})
_PHASES = _TRAINING | {"phase", "learning"}
_TRAINING_VALUES = _TRAINING | {"fit"}


def inference_value(name: str) -> bool | None:
    """What a truth value called `name` is at inference: False for `train_mode`, True for
    `deterministic`; None for what is no such switch."""
    if _TRAINING.intersection(_words(name)):
        return False
    return True if name in _INFERENCE else None


def is_phase(name: str) -> bool:
    """Whether a truth value of a TF1 graph says, by its name, that training goes on."""
    return bool(_PHASES.intersection(_words(name)))


def says_training(value: object) -> bool:
    """Whether `value` is a text or an enumeration's member like `"train"`, `ModeKeys.TRAIN`."""
    text = value if isinstance(value, str) else getattr(value, "name", None)
    return isinstance(text, str) and text.lower() in _TRAINING_VALUES


def _words(name: str) -> list[str]:
    return re.split(r"[^a-z]+", name.lower())
