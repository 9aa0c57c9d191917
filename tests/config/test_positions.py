"""Every key and value of a document is found where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli

from ckpt_action.config.positions import Positions

COMPLETE = Path(__file__).resolve().parent / "valid" / "complete.toml"
SOURCES = {
    "tables": '[a.b]\nc = 1\n[a."d e"]\nf = 2\n[a]\ng = 3\n',
    "dotted": 'a.b."c.d" = 1\na.b.e = 2\n[x]\ny.z = 3\n',
    "inline": "a = { b = { c = 1 }, d.e = [1, { f = 2 }] }\n",
    "arrays": 'a = [\n  1, # one\n  # two\n  "three",\n  [4, 5],\n]\n',
    "array-of-tables": "[[a]]\nx = 1\n[a.b]\ny = 2\n[[a.c]]\nz = 3\n[[a]]\nx = 4\n[[a.c]]\nz = 5\n",
    "unicode": 'a."ключ" = "日本"\nb = { "ö" = 1, c = 2 }\n',
    "quoted": "'a.b' = 1\n\"c\\td\" = 2\n",
    "strings": 'a = """\nx\n"""\nb = 1\n',
    "complete": COMPLETE.read_text(),
}


def paths(node, path=()):
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in items:
        yield (*path, key), child
        if isinstance(child, (dict, list)):
            yield from paths(child, (*path, key))


def begins_like(value):
    if isinstance(value, str):
        return '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else ""


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_path_is_known_and_right(source):
    lines = source.split("\n")
    positions = Positions(source)

    def text_at(place):
        line, column = place
        return lines[line - 1][column - 1 :]

    found = list(paths(tomli.loads(source)))
    assert found
    for path, value in found:
        assert text_at(positions.find(path)).replace("_", "").startswith(begins_like(value)), path
        if isinstance(path[-1], str):
            key = text_at(positions.find(path, at_key=True)).lstrip("\"'")
            assert key.startswith(path[-1].split("\t")[0]), path


def test_columns_count_characters():
    positions = Positions(SOURCES["unicode"])
    assert positions.find(("a", "ключ")) == (1, 12)
    assert positions.find(("b", "c")) == (2, 20)
    assert positions.find(("b", "c"), at_key=True) == (2, 16)


def test_elements_of_an_array_of_tables_stand_at_their_headers():
    positions = Positions(SOURCES["array-of-tables"])
    assert positions.find(("a", 0)) == (1, 3)
    assert positions.find(("a", 1)) == (7, 3)
    assert positions.find(("a", 1, "c", 0, "z")) == (10, 5)


def test_what_is_not_there_is_at_the_table_around_it():
    positions = Positions("x = 1\n\n[a]\nb = 2\n")
    assert positions.find(("a", "missing", 3)) == (3, 2)
    assert positions.find(("missing",)) == (1, 1)


def test_a_table_stands_at_its_own_header_not_at_a_longer_one_before():
    assert Positions("[a.b]\n[a]\n").find(("a",)) == (2, 2)
