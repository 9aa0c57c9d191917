"""Rules for targets beyond their form: names, gates, and options that need each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ckpt_action.config.findings import Finding
from ckpt_action.config.tables import ModelTable
from ckpt_action.config.vocabulary import parse_duration, parse_size
from ckpt_action.config.wording import KeyPath, value_text
from ckpt_action.errors import Severity


def target_findings(model: ModelTable) -> Iterator[Finding]:
    names: dict[str, str] = {}
    written: list[dict[str, Any]] = []
    for index, target in enumerate(model.get("targets", ())):
        table = {"format": target} if isinstance(target, str) else target
        name = table.get("name", table["format"])
        path = model.at("targets", index)
        what = {key: value for key, value in table.items() if key != "name"}
        if name.lower() in names:
            yield Finding(
                path=path,
                message=f"Two targets are named `{names[name.lower()]}`; each needs a folder of "
                "its own.",
                hint="Give one a `name`, as in "
                f'`{{ format = {value_text(table["format"])}, name = "small" }}`.',
            )
        elif what in written:
            yield Finding(
                path=path,
                severity=Severity.WARNING,
                message=f"The target `{name}` has the format and options of one before it: the "
                "same artifact is written twice.",
            )
        yield from _gates(table, path)
        yield from _representative_data(table, path)
        names.setdefault(name.lower(), name)
        written.append(what)


def _gates(target: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    for key, read, what in (
        ("max-size", parse_size, "small"),
        ("max-gzip-size", parse_size, "small"),
        ("max-latency", parse_duration, "fast"),
    ):
        if key in target and not read(target[key]):
            yield Finding(
                path=(*path, key), message=f"No artifact is that {what}: the limit is zero."
            )


def _representative_data(target: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    """Of formats that quantise by it; the schema lets no other have these keys."""
    quantised = target.get("quantize") == "int8"
    if quantised and "representative-data" not in target:
        yield Finding(
            path=(*path, "quantize"),
            message="Quantising to `int8` needs `representative-data`, on which the ranges of all "
            "values between the layers are measured.",
            hint='As in `representative-data = "package.module:samples"`.',
        )
    elif "representative-data" in target and not quantised:
        yield Finding(
            path=(*path, "representative-data"),
            at_key=True,
            severity=Severity.WARNING,
            message='`representative-data` is used for `quantize = "int8"` only.',
        )
