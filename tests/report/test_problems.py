"""Problems as text: the place, the line with a caret, what to do; and as JSON."""

from __future__ import annotations

import io

import pytest

from ckpt_action.errors import ExitCode, Problem, Severity, Where
from ckpt_action.report.problems import print_problems, problem_text


def problem(**fields):
    return Problem(**{"code": ExitCode.CONFIG, "message": "It is wrong.", **fields})


def test_the_smallest_problem():
    assert problem_text(problem()) == "error: It is wrong."


def test_everything_at_once(tmp_path):
    (tmp_path / "f.toml").write_text("a = 1\nb = 2\n")
    where = Where(file="f.toml", line=2, column=5, key_path="b")
    full = problem(where=where, hint="Mend it.", details=("one", "two"), severity=Severity.WARNING)
    assert problem_text(full, tmp_path).splitlines() == [
        "f.toml:2:5: warning: It is wrong. [b]",
        "    2 | b = 2",
        "      |     ^",
        "  one",
        "  two",
        "  help: Mend it.",
    ]


def test_the_caret_stands_below_the_column_after_tabs(tmp_path):
    (tmp_path / "f").write_text("\tä\tb = 1\n")
    text = problem_text(problem(where=Where(file="f", line=1, column=4)), tmp_path)
    _, line, caret = text.splitlines()
    assert line[caret.index("^")] == "b"


@pytest.mark.parametrize(
    "where",
    [
        Where(file="absent", line=1, column=1),
        Where(file="f", line=99, column=1),
        Where(file="f", line=1),
        Where(file="f"),
        Where(file="f", line=2, column=1),
    ],
)
def test_no_line_where_there_is_none_to_show(tmp_path, where):
    (tmp_path / "f").write_bytes(b"\xff = 1\n\n")
    assert len(problem_text(problem(where=where), tmp_path).splitlines()) == 1


def test_control_characters_cannot_reach_the_terminal(tmp_path):
    (tmp_path / "f").write_text("x\x1b[31m\n")
    text = problem_text(
        problem(where=Where(file="f", line=1, column=1), message="a\x1b[2Jb\u202ec"), tmp_path
    )
    assert text.isprintable() or all(line.isprintable() for line in text.splitlines())


@pytest.mark.parametrize(("ci", "shown"), [("true", "# #["), ("", "##[")])
def test_in_a_workflow_no_line_is_a_command(ci, shown):
    stream = io.StringIO()
    found = problem(message="##[error]x", details=("::set-output name=x::y",))
    print_problems([found], stream=stream, environ={"GITHUB_ACTIONS": ci})
    assert shown in stream.getvalue()
    commands = [line for line in stream.getvalue().splitlines() if line.lstrip().startswith("::")]
    assert bool(commands) is (ci == "")
