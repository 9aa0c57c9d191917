"""The step summary, read back through a Markdown parser as GitHub's page would be."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ckpt_action.errors import ExitCode, Problem, Severity, Where
from ckpt_action.outcome import Run
from ckpt_action.report.markup import code, markdown
from ckpt_action.report.summary import render
from ckpt_action.report.workflow_commands import sanitize
from tests.report import sample

OURS = {
    "h2", "h3", "p", "code", "table", "thead", "tbody", "tr", "th", "td", "strong", "ul", "li",
    "details", "summary", "samp", "br",
}  # fmt: skip


class Page(HTMLParser):
    """What a page holds: its tags and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""
        self.feed(MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(text))

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_verdict_comes_first_then_a_table_of_targets() -> None:
    page = Page(render(sample.GREEN))
    assert page.tags[0] == "h2"
    assert page.words.startswith("✅ 1 model exported and proven (2 artifacts, 2.6 MB)")
    assert "saved-model" in page.words
    assert "kept their initial values (allow-missing): head/scale" in page.words
    assert set(page.tags) <= OURS


def test_failed_models_come_before_the_others() -> None:
    words = Page(render(sample.RED)).words
    assert words.startswith("❌ 2 of 3 models failed")
    assert words.index("captioner@1200") < words.index("lost") < words.index("✅ digits")
    assert "model-export.toml:31:1 (models.lost)" in words
    assert "nearest: enc/bias" in words


HOSTILE = st.text(st.sampled_from("<>&|`*_[]()!#~@-=:/.\\\"' \nabw1$+^{}"), max_size=40)


@settings(max_examples=300, deadline=None)
@given(text=HOSTILE)
@example(text="<script>alert(1)</script>")
@example(text="[x](https://example.org) ![y](z) @someone #1 https://example.org www.example.org")
@example(text="a|b\n\n# heading\n</details><!--")
def test_foreign_text_stays_text(text: str) -> None:
    page = Page(f"| {markdown(text)} | {code(text)} |\n|---|---|\n| {markdown(text)} | x |\n")
    shown = " ".join(sanitize(text).split())
    assert set(page.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
    assert page.words.count(shown) >= 3 or not shown


def hostile_run(text: str) -> Run:
    problem = Problem(
        code=ExitCode.REBUILD, message=text, hint=text, where=Where(file=text), details=(text,)
    )
    job = replace(sample.captioner(), name=text, model=text, problems=(problem,))
    return Run(tool=text, config=text, jobs=(job,), problems=(problem,), commit=text)


@pytest.mark.parametrize("text", ["</details><img src=x>", "|`|`|", "\n\n# x\n\n<b>", "]]>-->"])
def test_no_field_of_a_run_can_write_markup(text: str) -> None:
    page = Page(render(hostile_run(text)))
    assert set(page.tags) <= OURS
    assert page.tags.count("h2") == 1


def test_a_huge_run_fits_and_keeps_the_verdict_and_what_failed() -> None:
    many = tuple(replace(sample.digits(), name=f"model{n}") for n in range(2000))
    problem = Problem(code=ExitCode.RESTORE, message="x" * 3000, details=("y" * 400,) * 900)
    worst = tuple(replace(sample.lost(), name=f"lost{n}", problems=(problem,)) for n in range(30))
    text = render(Run(tool="0", config="c", jobs=(*many, *worst)))
    assert len(text.encode()) <= 1000 * 1024
    words = Page(text).words
    assert words.startswith("❌ 30 of 2030 models failed (restore)")
    assert all(f"lost{n}" in words for n in range(30))
    assert "parts are cut here" in words


def test_a_summary_is_cut_at_any_size() -> None:
    for limit in range(1000, 20_000, 700):
        text = render(sample.RED, limit)
        assert len(text.encode()) <= limit
        assert text.startswith("## ❌ 2 of 3 models failed")


def test_warnings_and_notes_have_marks_of_their_own() -> None:
    note = Problem(code=ExitCode.OK, message="a note", severity=Severity.NOTE)
    text = render(replace(sample.GREEN, problems=(note,)))
    assert re.search(r"- 💡 a note", text)
