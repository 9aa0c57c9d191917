"""The form of a document against the JSON schema, each difference as a sentence about TOML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from jsonschema import Draft7Validator, ValidationError
from jsonschema.validators import extend

from ckpt_action.config import sentences
from ckpt_action.config.findings import Finding
from ckpt_action.config.fits import is_type, matches
from ckpt_action.config.schema import schema
from ckpt_action.config.wording import KeyPath, as_entry_point


def form_findings(data: dict[str, Any]) -> tuple[Finding, ...]:
    """Everything about `data` that the schema refuses."""
    errors = list(_Validator(schema()).iter_errors(data))
    findings = tuple(_named_from_roots(finding, data) for finding in _findings(errors, ()))
    if errors and not findings:  # never let a document pass for want of words
        return (Finding(path=tuple(errors[0].absolute_path), message=f"{errors[0].message}."),)
    return findings


def _named_from_roots(finding: Finding, data: dict[str, Any]) -> Finding:
    """What to write for code that is named by its file depends on `python-path` too."""
    value: Any = data
    for part in finding.path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):  # of a key that is missing, or is the mistake
            return finding
    if not isinstance(value, str) or not finding.hint or finding.hint != as_entry_point(value):
        return finding
    return replace(finding, hint=as_entry_point(value, _roots(data)))


def _roots(data: dict[str, Any]) -> list[str]:
    export = data.get("export")
    roots = export.get("python-path") if isinstance(export, dict) else None
    return [root for root in roots if isinstance(root, str)] if isinstance(roots, list) else []


def _pattern(_: Any, pattern: str, instance: object, __: Any) -> Iterator[ValidationError]:
    if not matches(instance, pattern):
        yield ValidationError(f"{instance!r} does not match")


def _is_integer(_: Any, instance: object) -> bool:
    return is_type(instance, "integer")


_Validator = extend(
    Draft7Validator,
    validators={"pattern": _pattern},
    type_checker=Draft7Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


def _findings(errors: Iterable[ValidationError], base: KeyPath) -> Iterator[Finding]:
    for error in errors:
        path = (*base, *error.relative_path)
        if error.validator == "anyOf":
            yield from _choice_findings(error, path)
        else:
            yield from sentences.findings(error, path)


def _choice_findings(error: ValidationError, path: KeyPath) -> Iterator[Finding]:
    """Of several alternatives the one that is meant: the one whose type or `format` fits."""
    branches: dict[int, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    for inners in branches.values():
        if not any(_is_other_kind(inner) for inner in inners):
            yield from _findings(inners, path)
            return
    yield from sentences.no_alternative(error, path)


def _is_other_kind(error: ValidationError) -> bool:
    if error.validator == "const":
        return True
    return error.validator == "type" and not error.relative_path
