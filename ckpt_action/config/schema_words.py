"""Small builders for the JSON schema of the language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ckpt_action.config import vocabulary

Schema = dict[str, Any]

FILE_NAME: Schema = {
    "pattern": vocabulary.FILE_NAME,
    "x-expected": "a name of letters, digits, `-`, `_` and `.`, fit for a folder and an asset",
}


def table(
    properties: Mapping[str, Schema],
    *,
    description: str = "",
    required: Sequence[str] = (),
    examples: Mapping[str, object] | None = None,
) -> Schema:
    """A closed table: any other key is an error. `examples`: key to a value that editors and the
    reference show."""
    schema: Schema = {"description": description} if description else {}
    schema |= {"type": "object", "additionalProperties": False}
    if required:
        schema["required"] = list(required)
    shown = {key: {"examples": [value]} for key, value in (examples or {}).items()}
    forms = {key: {**form, **shown.get(key, {})} for key, form in properties.items()}
    return {**schema, "properties": forms}


def text(description: str, *, pattern: str = "", expected: str = "", default: str = "") -> Schema:
    """A string that is not empty, of the form `pattern`, which `expected` puts in words."""
    schema: Schema = {"description": description} if description else {}
    schema |= {"type": "string", "minLength": 1}
    if pattern:
        schema |= {"pattern": pattern, "x-expected": expected}
    return schema | ({"default": default} if default else {})


def texts(
    description: str,
    *,
    pattern: str = "",
    expected: str = "",
    default: Sequence[str] | None = None,
    at_least: int = 0,
) -> Schema:
    """An array of different strings."""
    schema: Schema = {
        "description": description,
        "type": "array",
        "items": text("", pattern=pattern, expected=expected),
        "uniqueItems": True,
    }
    if at_least:
        schema["minItems"] = at_least
    return schema | ({} if default is None else {"default": list(default)})


def flag(description: str, *, default: bool) -> Schema:
    return {"description": description, "type": "boolean", "default": default}


def choice(description: str, values: Sequence[str], *, default: str) -> Schema:
    return {
        "description": description,
        "type": "string",
        "enum": list(values),
        "default": default,
    }
