"""The committed schema is the language; no document passes one and fails the other."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import tomli
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from ckpt_action.config.fits import fits
from ckpt_action.config.forms import form_findings
from ckpt_action.config.schema import schema, schema_text
from ckpt_action.engine.targets import registry

HERE = Path(__file__).resolve().parent
COMMITTED = HERE.parent.parent / "schema" / "model-export.schema.json"
COMPLETE = tomli.loads((HERE / "valid" / "complete.toml").read_text())


def test_the_committed_schema_is_the_generated_one():
    assert COMMITTED.read_text(encoding="utf-8") == schema_text(), "run `make schema`"


def test_the_schema_is_draft_7():
    Draft7Validator.check_schema(schema())


def parts(node, path=""):
    """Every subschema with its path."""
    yield path, node
    for keyword in ("properties", "definitions"):
        for key, child in node.get(keyword, {}).items():
            yield from parts(child, f"{path}/{key}")
    for keyword in ("items", "additionalProperties", "propertyNames"):
        if isinstance(node.get(keyword), dict):
            yield from parts(node[keyword], f"{path}/{keyword}")
    for keyword in ("anyOf", "allOf"):
        for number, child in enumerate(node.get(keyword, ())):
            yield from parts(child, f"{path}/{number}")


def described(node):
    if "$ref" in node:
        node = schema()["definitions"][node["$ref"].rpartition("/")[2]]
    return bool(node.get("description"))


def test_every_key_is_described():
    keys = [
        (f"{path}/{key}", child)
        for path, node in parts(schema())
        for key, child in node.get("properties", {}).items()
    ]
    assert len(keys) > 40
    assert [path for path, child in keys if not described(child)] == []


def test_every_table_is_closed():
    tables = [(path, node) for path, node in parts(schema()) if "properties" in node]
    assert len(tables) > 5
    assert [path for path, node in tables if node.get("additionalProperties") is not False] == []


def test_every_keyword_is_one_that_all_editors_read():
    """taplo knows draft-07 only, and `fits` knows what is used here."""
    later = {"prefixItems", "unevaluatedProperties", "dependentRequired", "$defs", "minContains"}
    for path, node in parts(schema()):
        assert not later & set(node), path
        assert path == "" or "$ref" not in node or set(node) == {"$ref"}, path


def test_every_pattern_is_anchored_and_explained():
    patterns = [node for _, node in parts(schema()) if "pattern" in node]
    assert len(patterns) > 10
    for node in patterns:
        assert node["pattern"].startswith("^")
        assert node["pattern"].endswith("$")
        assert "(?" not in node["pattern"]
        assert node["x-expected"]


def test_the_formats_are_the_registry():
    definitions = schema()["definitions"]
    assert definitions["format"]["enum"] == list(registry())
    for name, target in registry().items():
        table = definitions[f"target-{name}"]["properties"]
        common = {"format", "name", "max-size", "max-gzip-size", "max-latency", "min-agreement"}
        assert set(table) == {*common, *target.OPTIONS}


def standard_errors(data):
    return list(Draft7Validator(schema()).iter_errors(data))


def documents():
    for file in sorted(HERE.glob("*valid/*.toml")):
        try:
            yield pytest.param(tomli.loads(file.read_text(encoding="utf-8")), id=file.stem)
        except (tomli.TOMLDecodeError, UnicodeDecodeError):
            continue


@pytest.mark.parametrize("data", list(documents()))
def test_schema_and_code_refuse_the_same_files(data):
    refused = bool(form_findings(data))
    assert fits(data, schema(), schema()) is not refused
    assert bool(standard_errors(data)) is refused


SINGLE_FAULTS = [
    (("models", "captioner\n"), {}),
    (("models", "captioner", "entry-point"), "a:b\n"),
    (("models", "captioner", "verify", "rtol"), 1),
    (("models", "captioner", "verify", "rtol"), -1e-9),
    (("models", "captioner", "verify", "samples"), 0),
    (("models", "captioner", "verify", "samples"), 4.0),
    (("models", "captioner", "verify", "samples"), True),
    (("models", "captioner", "verify", "golden"), ""),
    (("models", "captioner", "verify", "seed"), 2**32),
    (("models", "captioner", "timeout"), 0),
    (("models", "captioner", "timeout"), False),
    (("models", "captioner", "select"), "newest"),
    (("models", "captioner", "select"), -1),
    (("models", "captioner", "checkpoints"), []),
    (("models", "captioner", "checkpoints"), ["x", "x"]),
    (("models", "captioner", "signatures"), {}),
    (("models", "captioner", "arguments"), {"a b": 1}),
    (("models", "captioner", "targets", 0), {"name": "x"}),
    (("models", "captioner", "targets", 0), {"format": "saved-model", "lower-control-flow": True}),
    (("models", "captioner", "colour"), "red"),
    (("version",), True),
    (("version",), 1.0),
]


@pytest.mark.parametrize(("path", "value"), SINGLE_FAULTS, ids=str)
def test_one_fault_is_enough(path, value):
    data = copy.deepcopy(COMPLETE)
    assert fits(data, schema(), schema())
    assert form_findings(data) == ()
    container = data
    for key in path[:-1]:
        container = container[key]
    container[path[-1]] = value
    assert not fits(data, schema(), schema())
    assert form_findings(data)


def test_a_refusal_without_words_is_still_a_refusal(monkeypatch):
    monkeypatch.setattr("ckpt_action.config.forms.sentences.findings", lambda *_: iter(()))
    (finding,) = form_findings({"version": 1, "models": 3})
    assert finding.path == ("models",)


def slots(node):
    """Every place in a document: (container, key)."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in items:
        yield node, key
        if isinstance(child, (dict, list)):
            yield from slots(child)


KEYS = sorted(
    {key for _, node in parts(schema()) for key in node.get("properties", {})}
    | {"", "x", "a b", "name\n", "X-1"}
)
VALUES = st.one_of(
    st.sampled_from(
        ["", "saved-model", "latest", "2", "x", "a:b", "a.b:c\n", "x:0", "float32", "1 MB", "tfjs"]
    ),
    st.integers(-2, 3),
    st.sampled_from([2**40, 0.5, -1.5, float("inf"), True, False]),
    st.sampled_from([[], {}, ["x"], ["x", "x"], [1], [[]], {"x": 1}, {"format": "saved-model"}]),
).map(copy.deepcopy)


@st.composite
def mutated(draw):
    """The complete example with a few values and keys changed."""
    data = copy.deepcopy(COMPLETE)
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(list(slots(data))))
        action = draw(st.sampled_from(["replace", "delete", "add", "rename"]))
        if action == "replace":
            container[key] = draw(VALUES)
        elif action == "delete":
            del container[key]
        elif isinstance(container, list):
            container.append(draw(VALUES))
        elif action == "add":
            container[draw(st.sampled_from(KEYS))] = draw(VALUES)
        else:
            container[draw(st.sampled_from(KEYS))] = container.pop(key)
    return data


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_the_quick_yes_the_messages_and_the_schema_agree(data):
    findings = form_findings(data)
    assert fits(data, schema(), schema()) is not bool(findings)
    if "\n" not in repr(data) and "\\n" not in repr(data):
        # Python's `$` alone lets a line end pass; other languages' does not.
        assert bool(standard_errors(data)) is bool(findings)
