"""The reference of keys says what the schema says, all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tomli
from jsonschema import Draft7Validator

from ckpt_action.config.reference import key_table, page, tables, toml
from ckpt_action.config.schema import schema
from ckpt_action.verify import tolerances

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_committed_page_is_the_generated_one():
    assert page(TEXT) == TEXT, "run `make schema`"


def test_a_changed_page_is_seen():
    assert page(TEXT.replace("| `timeout` |", "| `time-out` |", 1)) == TEXT


def test_every_table_of_the_language_is_on_the_page_once():
    assert sorted(re.findall(r"<!-- keys: (\S+) -->", TEXT)) == sorted(tables())


def forms():
    for name, table in tables().items():
        for key, form in table["properties"].items():
            for value in form.get("examples", ()):
                yield pytest.param(form, value, id=f"{name}.{key}")


@pytest.mark.parametrize(("form", "value"), list(forms()))
def test_every_example_is_allowed_and_reads_back(form, value):
    validator = Draft7Validator({**form, "definitions": schema()["definitions"]})
    assert list(validator.iter_errors(value)) == []
    assert tomli.loads(f"key = {toml(value)}") == {"key": value}


def test_every_plain_key_has_an_example():
    rows = [row for name in tables() for row in key_table(name).splitlines()[2:]]
    bare = {row.split("`")[1] for row in rows if row.endswith("|  |")}
    of_tables = {"export", "defaults", "models", "restore", "signatures", "verify"}
    assert bare == of_tables


def test_the_tolerances_are_those_of_the_comparison():
    rows = re.findall(
        r"^\| (`(?:b?float\d+)`.*?) \| (.+), (.+) \| (.+), (.+) \|$", TEXT, re.MULTILINE
    )
    documented = {
        dtype: tuple(map(float, numbers))
        for dtypes, *numbers in rows
        for dtype in re.findall(r"`(\w+)`", dtypes)
    }
    assert documented == {
        dtype: (
            *tolerances(dtype, "reference", rtol=None, atol=None),
            *tolerances(dtype, "golden", rtol=None, atol=None),
        )
        for dtype in ("float32", "float64", "float16", "bfloat16")
    }
