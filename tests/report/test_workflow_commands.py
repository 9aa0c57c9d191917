"""The escaping, against a reader that follows the runner's rules and was written apart from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ckpt_action.report.workflow_commands import command, sanitize, shorten, write_outputs
from tests.report.runner_rules import parse_command, parse_file, split_lines

FOREIGN = st.text(
    st.one_of(st.sampled_from("\r\n\t :#[]%,;=<&\u200b\ufe0f\x1b\x00\x85\u2028e"), st.characters()),
    max_size=60,
) | st.lists(
    st.sampled_from(
        [
            "::error::",
            "##[warning]",
            " ::add-mask::x",
            "\r",
            "\n",
            "%0A",
            "\u200b",
            "\x1b[31m",
            ":",
            "#",
        ]
    ),
    max_size=8,
).map("".join)
quick = settings(max_examples=500, deadline=None)


@quick
@given(message=FOREIGN, title=FOREIGN)
@example(message="100%0A\r\n::error::x", title="a:b,c=d%2C")
def test_a_command_arrives_as_it_was_meant(message: str, title: str) -> None:
    line = command("warning", message, title=title, line=3)
    assert split_lines(line) == [line]
    parsed = parse_command(line)
    assert parsed is not None
    assert (parsed.name, parsed.data) == ("warning", message)
    assert parsed.properties["line"] == "3"
    if title:
        assert parsed.properties["title"].strip() == title.strip()


@quick
@given(text=FOREIGN, before=st.sampled_from(["", "  ", "loaded "]))
@example(text="exporting ##[warning]fake", before="")
@example(text="#\u200b#[error]hidden", before="")
@example(text="\u2003\u200b::error::hidden", before="")
@example(text=":\ufe0f:error::hidden", before="")
@example(text="#\x1b[0m#[error]hidden", before="")
def test_sanitized_text_holds_no_command(text: str, before: str) -> None:
    for line in split_lines(before + sanitize(text)):
        assert parse_command(line) is None


def test_the_reader_does_find_commands_in_raw_text() -> None:
    assert parse_command("  ::error::x") is not None
    assert parse_command("anything ##[error]x") is not None
    assert parse_command("#\u200b#[error]x") is not None
    assert parse_command("::unknown::x") is None


def test_plain_text_stays_as_it_is() -> None:
    text = "std::vector<int> [1/3] 50 % done\n\tKeras — über 日本"
    assert sanitize(text) == text


@quick
@given(values=st.dictionaries(st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True), FOREIGN))
def test_outputs_arrive_whole(
    values: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("out") / "output"
    file.write_bytes(b"earlier=1\n")
    write_outputs(file, values)
    expected = {
        name: value.encode("utf-8", "replace").decode().removesuffix("\r")
        for name, value in values.items()
    }
    assert parse_file(file.read_bytes().decode()) == {"earlier": "1", **expected}


def test_a_value_cannot_add_an_output(tmp_path: Path) -> None:
    file = tmp_path / "output"
    write_outputs(file, {"manifest": "dist\nEVIL=1\nend_0\nEVIL=2"})
    assert list(parse_file(file.read_text())) == ["manifest"]


@pytest.mark.parametrize("name", ["", "a=b", "a<<b", "a b", "a\nb"])
def test_names_are_plain_words(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot name"):
        write_outputs(tmp_path / "output", {name: "x"})
    with pytest.raises(ValueError, match="cannot name"):
        command(name, "x")


def test_shorten_keeps_the_limit() -> None:
    assert shorten("abc", 3) == "abc"
    assert shorten("abcd", 3) == "ab…"
