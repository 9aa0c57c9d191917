"""Errors of the JSON schema in the words of someone who edits the TOML file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from jsonschema import ValidationError

from ckpt_action.config.findings import Finding
from ckpt_action.config.misplaced import meant
from ckpt_action.config.sentence_hints import (
    meant_here,
    of_form,
    of_longer_name,
    of_select,
    of_type,
)
from ckpt_action.config.vocabulary import DTYPE_ALIASES, DTYPES
from ckpt_action.config.wording import (
    KeyPath,
    did_you_mean,
    key_text,
    value_text,
)

_TYPES = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "an array",
    "object": "a table",
}


def findings(error: ValidationError, path: KeyPath) -> Iterator[Finding]:
    """One finding for each thing that `error` is about."""
    sentence = _SENTENCES.get(error.validator)
    if sentence is None:  # a keyword that a target's own options use
        yield Finding(path=path, message=f"{_value(error)} is not allowed here: {error.message}.")
    else:
        yield from sentence(error, path)


def no_alternative(error: ValidationError, path: KeyPath) -> Iterator[Finding]:
    """None of the alternatives of an `anyOf` is of the value's kind."""
    value = error.instance
    formats = [inner.validator_value for inner in error.context if inner.validator == "const"]
    if not formats:
        yield Finding(path=path, message=_expected(error.schema["x-expected"], value))
    elif isinstance(value["format"], str):
        yield _no_such_format(value["format"], formats, (*path, "format"))
    else:
        message = _expected("a string", value["format"])
        yield Finding(path=(*path, "format"), message=message)


def _no_such_format(name: str, formats: list[str], path: KeyPath) -> Finding:
    guess = did_you_mean(name, formats, quote='"')
    known = f"Formats: {', '.join(formats)}."
    return Finding(
        path=path,
        message=f"There is no target format {value_text(name)}.",
        hint=f"{guess} {known}".strip(),
    )


def _unknown_keys(error: ValidationError, path: KeyPath) -> Iterator[Finding]:
    known = list(error.schema["properties"])
    for key in error.instance:
        if key in known:
            continue
        free = [name for name in known if name not in error.instance]
        yield Finding(
            path=(*path, key),
            at_key=True,
            message=f"Unknown key `{key_text(key)}`.",
            hint=of_longer_name(key, error, path)
            or meant(key, error.instance[key], path)
            or did_you_mean(key, free)
            or f"Keys here: {', '.join(known)}.",
        )


def _missing_keys(error: ValidationError, path: KeyPath) -> Iterator[Finding]:
    for key in error.validator_value:
        if key in error.instance:
            continue
        form = error.schema["properties"].get(key, {})
        description = form.get("description", "").split(". ")[0].rstrip(".")
        hint = f"As in `{key} = {value_text(form['const'])}`" if "const" in form else description
        hint = meant_here(error.instance, path) or (f"{hint}." if hint else "")
        yield Finding(path=path, message=f"The key `{key}` is missing.", hint=hint)


def _wrong_type(error: ValidationError, path: KeyPath) -> Iterator[Finding]:
    kinds = error.validator_value
    names = [_TYPES[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    expected = error.schema.get("x-expected") or " or ".join(names)
    message = _expected(expected, error.instance)
    yield Finding(path=path, message=message, hint=of_type(error, path))


def _not_among(error: ValidationError, path: KeyPath) -> Iterator[Finding]:
    value, choices = error.instance, error.validator_value
    if not isinstance(value, str) and "type" in error.schema:
        return  # the type is wrong, which is said already
    listed = ", ".join(value_text(choice) for choice in choices)
    if not isinstance(value, str):
        yield Finding(path=path, message=f"{value_text(value)} is none of {listed}.")
    elif tuple(choices) == DTYPES:
        alias = DTYPE_ALIASES.get(value.lower())
        guess = f'Did you mean "{alias}"?' if alias else did_you_mean(value, choices, quote='"')
        message = f"There is no dtype {value_text(value)}."
        yield Finding(path=path, message=message, hint=f"{guess} One of {listed}.".strip())
    elif path[-2:-1] == ("targets",):
        yield _no_such_format(value, choices, path)
    else:
        guess = did_you_mean(value, choices, quote='"')
        if path[-1:] == ("select",):
            guess = of_select(value, guess)
        message = f"{value_text(value)} is none of {listed}."
        yield Finding(path=path, message=message, hint=guess)


def _not_the_constant(error: ValidationError, path: KeyPath) -> Iterator[Finding]:
    if path != ("version",):
        yield Finding(
            path=path, message=_expected(value_text(error.validator_value), error.instance)
        )
    elif isinstance(error.instance, int) and not isinstance(error.instance, bool):
        yield Finding(
            path=path,
            message=f"Version {error.instance} of the language is not known to this ckpt-action.",
            hint=f"`version = {error.validator_value}`, or a newer ckpt-action.",
        )


def _wrong_form(error: ValidationError, path: KeyPath) -> Iterator[Finding]:
    expected = error.schema.get("x-expected") or f"text of the form {error.validator_value}"
    at_key = "propertyNames" in error.absolute_schema_path
    if error.instance == "" and "minLength" in error.schema:
        return  # too short, which is said already
    where = (*path, error.instance) if at_key else path
    what = f"The name {value_text(error.instance)}" if at_key else value_text(error.instance)
    yield Finding(
        path=where, at_key=at_key, message=f"{what} is not {expected}.", hint=of_form(error, path)
    )


def _empty(error: ValidationError, path: KeyPath) -> Iterator[Finding]:
    nouns = {"minItems": "array", "minProperties": "table", "minLength": "string"}
    at_key = "propertyNames" in error.absolute_schema_path
    yield Finding(path=path, at_key=at_key, message=f"This {nouns[error.validator]} is empty.")


def _twice(error: ValidationError, path: KeyPath) -> Iterator[Finding]:
    for index, item in enumerate(error.instance):
        if item in error.instance[:index]:
            yield Finding(path=(*path, index), message=f"{value_text(item)} is listed twice.")


def _out_of_range(error: ValidationError, path: KeyPath) -> Iterator[Finding]:
    words = {
        "minimum": "at least",
        "maximum": "at most",
        "exclusiveMinimum": "more than",
        "exclusiveMaximum": "less than",
    }
    limit = f"{words[error.validator]} {error.validator_value}"
    is_dimension = "shape" in path[-2:-1]
    yield Finding(
        path=path,
        message=f"{value_text(error.instance)} is out of range: it has to be {limit}.",
        hint='A free dimension is a name, such as "batch".' if is_dimension else "",
    )


def _expected(expected: str, value: object) -> str:
    return f"Expected {expected}, found {_described(value)}."


def _described(value: object) -> str:
    if isinstance(value, bool):
        return value_text(value)
    if isinstance(value, dt.date | dt.time):
        return "a date or time"
    for kind, words in ((int, "the integer"), (float, "the float"), (str, "the string")):
        if isinstance(value, kind):
            return f"{words} {value_text(value)}"
    return value_text(value)


def _value(error: ValidationError) -> str:
    return value_text(error.instance)


_SENTENCES: dict[str, Callable[[ValidationError, KeyPath], Iterator[Finding]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_keys,
    "type": _wrong_type,
    "enum": _not_among,
    "const": _not_the_constant,
    "pattern": _wrong_form,
    "minItems": _empty,
    "minProperties": _empty,
    "minLength": _empty,
    "uniqueItems": _twice,
    "minimum": _out_of_range,
    "maximum": _out_of_range,
    "exclusiveMinimum": _out_of_range,
    "exclusiveMaximum": _out_of_range,
}
