from __future__ import annotations

from ckpt_action.errors import ExitCode, Problem, Severity, Where
from ckpt_action.report.annotations import annotation_commands
from tests.report.runner_rules import parse_command


def problem(number: int, severity: Severity = Severity.ERROR) -> Problem:
    return Problem(
        code=ExitCode.CONFIG,
        message=f"unknown key {number}",
        hint="Did you mean `select`?",
        where=Where(file="a,b.toml", line=number, column=7, key_path="models.x.selct"),
        severity=severity,
    )


def test_file_line_and_text_arrive() -> None:
    (line,) = annotation_commands([problem(3)])
    parsed = parse_command(line)
    assert parsed is not None
    assert parsed.name == "error"
    assert parsed.properties == {
        "file": "a,b.toml",
        "line": "3",
        "col": "7",
        "title": "ckpt-action: config",
    }
    assert parsed.data == "models.x.selct: unknown key 3 Did you mean `select`?"


def test_at_most_nine_of_a_kind_and_then_their_number() -> None:
    problems = [problem(n) for n in range(30)]
    problems += [problem(n, Severity.WARNING) for n in range(10)]
    parsed = [parse_command(line) for line in annotation_commands(problems)]
    errors = [p.data for p in parsed if p and p.name == "error"]
    warnings = [p.data for p in parsed if p and p.name == "warning"]
    assert (len(errors), len(warnings), len(parsed)) == (10, 10, 20)
    assert errors[-1].startswith("and 21 more errors;")
    assert warnings[-1].startswith("and 1 more warning;")


def test_a_long_message_is_cut_where_the_runner_would() -> None:
    (line,) = annotation_commands([Problem(code=ExitCode.VERIFY, message="x" * 9000)])
    parsed = parse_command(line)
    assert parsed is not None
    assert len(parsed.data) == 4096
    assert parsed.data.endswith("…")


def test_a_foreign_message_stays_one_annotation() -> None:
    (line,) = annotation_commands(
        [Problem(code=ExitCode.REBUILD, message="raised:\r\n::error::x ##[warning]y")]
    )
    parsed = parse_command(line)
    assert parsed is not None
    assert parsed.data == "raised:\n: :error::x # #[warning]y"
