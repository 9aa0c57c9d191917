"""The tables of keys in `docs/configuration.md`, written from the JSON schema.

`python -m ckpt_action.config.reference docs/configuration.md` prints that page with its tables
renewed: what stands between `<!-- keys: <table> -->` and `<!-- /keys -->`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ckpt_action.config.schema import schema
from ckpt_action.config.schema_targets import common_keys
from ckpt_action.config.schema_words import Schema
from ckpt_action.config.wording import key_text, value_text

_BLOCK = re.compile(r"(<!-- keys: (\S+) -->\n).*?(<!-- /keys -->)", re.DOTALL)
_DEFAULT = re.compile(r" Default: ([^.]+|`[^`]+`)\.$")
_HEAD = "| key | value | default | meaning | example |\n|---|---|---|---|---|\n"
_MOST_CHOICES = 5


def page(text: str) -> str:
    """`text` with every table between its markers as the schema has it."""
    return _BLOCK.sub(lambda match: f"{match[1]}{key_table(match[2])}{match[3]}", text)


def key_table(name: str) -> str:
    """The keys of one table of the language in Markdown; raises KeyError for an unknown one."""
    form = tables()[name]
    return _HEAD + "".join(_rows(form))


def tables() -> Mapping[str, Schema]:
    """Every table that has keys of its own, by the name that the markers use."""
    root = schema()
    definitions = root["definitions"]
    model = definitions["model"]["properties"]
    targets = {name: form for name, form in definitions.items() if name.startswith("target-")}
    common = common_keys()
    return {
        "document": root,
        "export": root["properties"]["export"],
        "model": definitions["model"],
        "restore": model["restore"],
        "verify": model["verify"],
        "signature": definitions["signature"],
        "input": definitions["input"],
        "target": {
            "properties": {k: next(iter(targets.values()))["properties"][k] for k in common}
        },
        **{name: _without(form, common) for name, form in targets.items()},
    }


def _without(form: Schema, keys: Iterable[str]) -> Schema:
    return {**form, "properties": {k: v for k, v in form["properties"].items() if k not in keys}}


def _rows(form: Schema) -> Iterator[str]:
    for key, stated in form["properties"].items():
        value = _resolved(stated)
        meaning, default = _meaning(value, required=key in form.get("required", ()))
        shown = [f"`{key_text(key)} = {toml(item)}`" for item in _examples(value)]
        cells = (f"`{key}`", _kind(value), default, meaning, " ".join(shown))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _resolved(form: Schema) -> Schema:
    """A definition in the place of its `$ref`."""
    parts = [part for part in (form, *form.get("allOf", ())) if "$ref" in part]
    if not parts:
        return form
    found: Schema = schema()["definitions"][parts[0]["$ref"].rpartition("/")[2]]
    return {**found, **{key: value for key, value in form.items() if key != "$ref"}}


def _meaning(form: Schema, *, required: bool) -> tuple[str, str]:
    """What a key means, and its default in words where no value says it."""
    said = _DEFAULT.search(form["description"])
    meaning = _DEFAULT.sub("", form["description"])
    if len(form.get("enum", ())) > _MOST_CHOICES:
        meaning += f" One of {', '.join(f'`{choice}`' for choice in form['enum'])}."
    if "default" in form:
        return meaning, f"`{toml(form['default'])}`"
    return meaning, "required" if required else said[1] if said else ""


def _examples(form: Schema) -> list[Any]:
    if form.get("type") == "boolean" and "examples" not in form:
        return [not form["default"]]
    return list(form.get("examples", [form["const"]] if "const" in form else ()))


def _kind(form: Schema) -> str:
    """The value's type in the words of TOML, with its limits."""
    if "const" in form:
        return f"`{toml(form['const'])}`"
    if "anyOf" in form:
        return form.get("x-expected") or " or ".join(_kind(branch) for branch in form["anyOf"])
    if 0 < len(form.get("enum", ())) <= _MOST_CHOICES:
        return " or ".join(f"`{toml(choice)}`" for choice in form["enum"])
    kind: str = form["type"]
    if kind == "array":
        inner = form["items"].get("type")
        return f"array of {inner}s" if inner else "array"
    return {"object": "table", "number": "number" + _limits(form)}.get(kind, kind + _limits(form))


def _limits(form: Schema) -> str:
    words = {
        "minimum": "from {}",
        "exclusiveMinimum": "above {}",
        "maximum": "up to {}",
        "exclusiveMaximum": "below {}",
    }
    limits = [text.format(form[word]) for word, text in words.items() if word in form]
    return f", {' '.join(limits)}" if limits else ""


def toml(value: object) -> str:
    """`value` as TOML writes it in one line."""
    if isinstance(value, dict):
        items = ", ".join(f"{key_text(key)} = {toml(item)}" for key, item in value.items())
        return f"{{ {items} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return value_text(value)


if __name__ == "__main__":
    print(page(Path(sys.argv[1]).read_text(encoding="utf-8")), end="")
