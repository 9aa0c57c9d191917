"""A quick yes to a document that the schema allows, without loading jsonschema.

Loading jsonschema takes longer than everything else that `validate` does. A document that does not
fit goes to jsonschema, which decides and says why; so does a schema with a keyword that is not
known here. Tests hold the two against each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sized
from typing import Any

Schema = dict[str, Any]

_ANNOTATIONS = frozenset({"$schema", "title", "description", "default", "definitions", "examples"})


def fits(value: object, schema: Schema, root: Schema) -> bool:
    """Whether `value` certainly is what `schema`, a part of `root`, allows."""
    for keyword, argument in schema.items():
        check = _CHECKS.get(keyword)
        if check is None:
            if keyword not in _ANNOTATIONS and not keyword.startswith("x-"):
                return False
        elif not check(value, argument, schema, root):
            return False
    return True


def is_type(value: object, name: str) -> bool:
    """TOML's types by the schema's names: a float is no integer, though it be a whole number."""
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name])


def matches(value: object, pattern: str) -> bool:
    """For patterns with both anchors; Python's `$` alone also matches before a line end."""
    return not isinstance(value, str) or re.fullmatch(pattern, value) is not None


_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def _type(value: object, names: str | list[str], *_: Any) -> bool:
    return any(is_type(value, name) for name in ([names] if isinstance(names, str) else names))


def _const(value: object, constant: object, *_: Any) -> bool:
    return type(value) is type(constant) and value == constant


def _enum(value: object, choices: list[object], *_: Any) -> bool:
    return any(_const(value, choice) for choice in choices)


def _unique(value: object, wanted: bool, *_: Any) -> bool:
    if not wanted or not isinstance(value, list):
        return True
    return all(isinstance(item, str) for item in value) and len(set(value)) == len(value)


def _required(value: object, keys: list[str], *_: Any) -> bool:
    return not isinstance(value, dict) or all(key in value for key in keys)


def _properties(value: object, properties: Schema, _: Schema, root: Schema) -> bool:
    return not isinstance(value, dict) or all(
        fits(value[key], schema, root) for key, schema in properties.items() if key in value
    )


def _additional(value: object, allowed: Schema | bool, schema: Schema, root: Schema) -> bool:
    if not isinstance(value, dict):
        return True
    others = [item for key, item in value.items() if key not in schema.get("properties", {})]
    if isinstance(allowed, bool):
        return allowed or not others
    return all(fits(item, allowed, root) for item in others)


def _reference(value: object, reference: str, _: Schema, root: Schema) -> bool:
    return fits(value, root["definitions"][reference.removeprefix("#/definitions/")], root)


def _limit(compare: Callable[[Any, Any], bool]) -> Callable[..., bool]:
    def check(value: object, limit: float, *_: Any) -> bool:
        return not is_type(value, "number") or compare(value, limit)

    return check


def _at_least(kind: type[Sized]) -> Callable[..., bool]:
    def check(value: Any, least: int, *_: Any) -> bool:
        return not isinstance(value, kind) or len(value) >= least

    return check


_CHECKS: dict[str, Callable[[Any, Any, Schema, Schema], bool]] = {
    "$ref": _reference,
    "type": _type,
    "const": _const,
    "enum": _enum,
    "pattern": lambda value, pattern, *_: matches(value, pattern),
    "minimum": _limit(lambda value, limit: value >= limit),
    "maximum": _limit(lambda value, limit: value <= limit),
    "exclusiveMinimum": _limit(lambda value, limit: value > limit),
    "exclusiveMaximum": _limit(lambda value, limit: value < limit),
    "minLength": _at_least(str),
    "minItems": _at_least(list),
    "minProperties": _at_least(dict),
    "uniqueItems": _unique,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": lambda value, names, _, root: (
        not isinstance(value, dict) or all(fits(key, names, root) for key in value)
    ),
    "items": lambda value, items, _, root: (
        not isinstance(value, list) or all(fits(item, items, root) for item in value)
    ),
    "anyOf": lambda value, schemas, _, root: any(fits(value, each, root) for each in schemas),
    "allOf": lambda value, schemas, _, root: all(fits(value, each, root) for each in schemas),
}
