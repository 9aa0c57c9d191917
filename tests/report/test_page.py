"""`report.html` is whole, loads nothing, and says the same thing in the same bytes."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ckpt_action.errors import ExitCode, Problem, Where
from ckpt_action.manifest import portable
from ckpt_action.outcome import Run
from ckpt_action.report import summary
from ckpt_action.report.page import render
from tests.report import sample
from tests.report.test_summary import hostile_run

EMPTY = {"meta", "br", "line", "circle", "rect"}


class Page(HTMLParser):
    """Checks that tags close in order; collects tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words += data


def test_signatures_variables_differences_and_permissions_are_shown() -> None:
    page = Page(render(sample.GREEN))
    assert page.tags.count("svg") == 3 + 5  # a plot for each compared output, a bar per size
    for said in (
        "Signature serving_default of saved-model, frozen-graph",
        "(batch, 8, 8, 1)",
        "6 variables, 1.1 MB",
        "kept their initial values (allow-missing)",
        "14 optimizer",
        "8 of 8 variables equal byte for byte",
    ):
        assert said in page.words


def test_what_the_terminal_says_of_golden_values_and_closeness_is_on_the_page() -> None:
    job = sample.digits()
    verdicts = (sample.verdict("digit", "golden", 1.0),)
    near = replace(job.artifacts[0], name="phone", max_error=1e-3)
    near = replace(
        near, verdicts=(replace(near.verdicts[0], against="reference", max_abs=9e-4, atol=1e-3),)
    )
    page = Page(render(sample.run(replace(job, verdicts=verdicts, artifacts=(near,)))))
    assert "the rebuilt model agrees with the golden file (max abs 1.0e+00)" in page.words
    assert "how closephone differs from the model by 0.0009 of the 0.001" in page.words


def test_a_target_that_failed_is_not_among_those_that_were_made() -> None:
    wrong = Problem(code=ExitCode.TARGET, message="No such op.")
    good, bad = sample.digits().artifacts[:2]
    mixed = replace(sample.digits(), artifacts=(good, replace(bad, problems=(wrong,))))
    words = Page(render(sample.run(mixed, replace(sample.digits(), name="other")))).words
    assert f"{good.name}; failed: {bad.name}" in words


def test_a_page_tells_nothing_of_the_machine(tmp_path: Path) -> None:
    where = Where(file=f"{tmp_path}/golden/x.npz")
    wrong = Problem(
        code=ExitCode.CONFIG,
        message=f"{tmp_path}/a is wrong.",
        hint=f"Look at {tmp_path}/b.",
        where=where,
        details=(f'File "{tmp_path}/net.py", line 3',),
    )
    job = replace(sample.digits(), problems=(wrong,))
    artifact = replace(job.artifacts[0], problems=(wrong,))
    run = replace(sample.run(replace(job, artifacts=(artifact,))), problems=(wrong,))
    words = Page(render(portable(run, tmp_path))).words
    assert str(tmp_path) not in words
    assert words.count('File "net.py", line 3') == 3


def test_the_largest_variable_comes_first() -> None:
    words = Page(render(sample.GREEN)).words
    assert words.index("dense/kernel") < words.index("head/kernel") < words.index("conv/bias")


def test_nothing_is_loaded_from_anywhere() -> None:
    text = render(sample.RED)
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not {name for name, _ in page.attributes} & {"src", "style", "onload"}
    ids = {value for name, value in page.attributes if name == "id"}
    assert {value for name, value in page.attributes if name == "href"} == {f"#{i}" for i in ids}
    assert not re.search(r"url\(|@import|https?:", text)


def test_of_many_models_those_stay_open_that_somebody_has_to_look_at() -> None:
    many = tuple(replace(sample.digits(), name=f"m{number:02}") for number in range(39))
    (failed,) = (job for job in sample.RED.jobs if job.name == "captioner@1200")
    text = render(replace(sample.RED, jobs=(*many, failed), problems=()))
    assert text.index("#model-0") < text.index(">captioner@1200<") < text.index("m00")
    assert text.count('<details class="model" open>') == 1
    assert text.count('<details class="model">') == 39
    assert render(sample.GREEN).count('<details class="model" open>') == 1


def test_what_changes_from_run_to_run_is_not_on_the_page() -> None:
    slower = replace(sample.digits(), seconds=99.0, peak_rss=1)
    assert render(sample.run(slower)) == render(sample.GREEN)
    assert render(sample.run(replace(slower, entry_point="x:y"))) != render(sample.GREEN)


@pytest.mark.parametrize("text", ["</style><script>x", '" onload="x', "<!--", "&lt;b&gt;"])
def test_no_field_of_a_run_can_write_markup(text: str) -> None:
    page = Page(render(hostile_run(text)))
    assert "script" not in page.tags
    assert "onload" not in {name for name, _ in page.attributes}
    assert text in page.words


def test_a_failed_comparison_is_drawn_and_named() -> None:
    page = Page(render(sample.run(sample.captioner())))
    assert ("class", "bad") in page.attributes
    assert "differs by more than rtol and atol allow" in page.words


def test_nan_infinite_and_zero_differences_have_a_place_on_the_axis() -> None:
    job = sample.digits()
    values = (0.0, float("nan"), float("inf"), 1e-300, 1e300)
    verdicts = tuple(sample.verdict("digit", f"sample {v}", v) for v in values)
    artifact = replace(job.artifacts[0], verdicts=verdicts)
    page = Page(render(sample.run(replace(job, artifacts=(artifact,)))))
    places = [float(value) for name, value in page.attributes if name == "cx"]
    assert places
    assert all(64 <= place <= 360 for place in places)


def test_a_run_without_jobs_is_a_page_too() -> None:
    assert "Nothing was exported" in Page(render(Run(tool="0", config="c", jobs=()))).words


def test_a_commit_with_changes_is_not_passed_off_as_the_commit() -> None:
    clean = replace(sample.GREEN, commit="0123456789abcdef")
    for show in (render, summary.render):
        assert "not committed" not in show(clean)
        assert "with changes that are not committed" in show(replace(clean, dirty=True))
