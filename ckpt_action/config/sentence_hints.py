"""What to do about errors of the JSON schema, where the value tells what was meant."""

from __future__ import annotations

import re

from jsonschema import ValidationError

from ckpt_action.config.misplaced import meant
from ckpt_action.config.vocabulary import ENTRY_POINT, FILE_NAME, TENSOR
from ckpt_action.config.wording import (
    KeyPath,
    as_entry_point,
    did_you_mean,
    key_path_text,
    value_text,
)

_ELLIPSES = ("…", "...")
_REAL_SIZES = "Replace it by the real sizes."
_NUMBERS = {"integer": r"-?\d+", "number": r"-?\d+([.]\d+)?"}


def of_type(error: ValidationError, path: KeyPath) -> str:
    """About a value of another type."""
    kinds, value = error.validator_value, error.instance
    if isinstance(value, str):
        if value in ("true", "false") or _is_number(value, kinds):
            return f"Write {value} without quotes."
        if path[-1:] == ("shape",) and value in _ELLIPSES:
            return _REAL_SIZES
        if kinds == "array":
            return f"Write [{value_text(value)}] in brackets."
    if "string" in kinds and isinstance(value, int | float):
        choices = error.schema.get("enum", ())
        return f'Write "{value_text(value)}" in quotes.' if str(value) in choices else ""
    return meant_here(value, path) if kinds == "object" else ""


def _is_number(text: str, kinds: str | list[str]) -> bool:
    form = _NUMBERS.get(kinds) if isinstance(kinds, str) else None
    return form is not None and re.fullmatch(form, text) is not None


def of_form(error: ValidationError, path: KeyPath) -> str:
    """About a text of another form."""
    if error.validator_value == ENTRY_POINT:
        return as_entry_point(error.instance)
    if error.validator_value == TENSOR and re.fullmatch(TENSOR, f"{error.instance}:0"):
        return f'Write "{error.instance}:0", its first output.'
    if "shape" in path[-2:-1]:
        return _of_size(error.instance)
    return ""


def _of_size(written: str) -> str:
    if written in _ELLIPSES:
        return _REAL_SIZES
    return f"Write {written} without quotes." if written.isdecimal() else ""


def of_select(written: str, guess: str) -> str:
    """Which checkpoint is the best one is in no file."""
    if written.isdecimal():
        return f"Write {written} without quotes."
    others = "A step is named by its number, and a single checkpoint by its path in `checkpoints`."
    return others if written == "best" else f"{guess} {others}".strip()


def meant_here(value: object, path: KeyPath) -> str:
    """What was meant by a table at `path` whose name is a key that belongs elsewhere."""
    return meant(str(path[-1]), value, path[:-1]) if path else ""


def of_longer_name(key: str, error: ValidationError, path: KeyPath) -> str:
    """What to write for `[models.Mnist.v2]`, a name with a dot in it."""
    value, known = error.instance[key], {*error.schema["properties"]}
    if path[:1] != ("models",) or len(path) != 2 or {*error.instance} & known:
        return ""
    if not isinstance(value, dict) or not {*value} & known or did_you_mean(key, known):
        return ""
    name = f"{path[1]}.{key}"
    if re.fullmatch(FILE_NAME, name):
        return f"Did you mean `{key_path_text(('models', name))}`?"
    return (
        "The name of a model has letters, digits, `-`, `_` and `.` only, in quotes if it has a dot."
    )
