"""The command itself: verbs, exit codes, and how it ends when it is ended."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ckpt_action import __version__, cli, commands
from ckpt_action.cli import main
from ckpt_action.errors import ExitCode, Where, fail


@pytest.fixture
def verb(monkeypatch):
    """Replace what `validate` does."""

    def replace(behaviour):
        monkeypatch.setattr("ckpt_action.commands.validate.run", behaviour)

    return replace


def raiser(error):
    def run(args: argparse.Namespace) -> ExitCode:
        raise error

    return run


def test_the_verbs_are_the_modules_of_the_folder():
    folder = Path(commands.__file__).parent
    assert set(commands.names()) == {f.stem for f in folder.glob("*.py")} - {"__init__"}
    assert {"validate", "init"} <= set(commands.names())


@pytest.mark.parametrize("name", commands.names())
def test_every_verb_has_help_in_one_line(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"usage: ckpt-action {name}" in capsys.readouterr().out
    summary = commands.load(name).__doc__.strip().splitlines()[0]
    assert summary.endswith(".")


def test_help_lists_every_verb(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert all(name in out for name in commands.names())


def test_a_verb_imports_no_other_verb(tmp_path):
    program = (
        "import sys; from ckpt_action.cli import main; main(['validate', 'absent.toml']);"
        "sys.exit(' '.join(m for m in sys.modules if m.startswith('ckpt_action.commands.')"
        " and not m.endswith('.validate')) or 0)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"ckpt-action {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["valdate"], ["validate", "--fromat", "json"]])
def test_a_command_line_that_cannot_be_understood(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == ExitCode.USAGE
    assert "usage: ckpt-action" in capsys.readouterr().err


def test_an_error_is_shown_without_a_traceback(verb, capsys):
    where = Where(file="a.toml", line=3)
    verb(raiser(fail(ExitCode.RESTORE, "It does not fit.", hint="Change it.", where=where)))
    assert main(["validate"]) == ExitCode.RESTORE
    captured = capsys.readouterr()
    assert captured.err == "a.toml:3: error: It does not fit.\n  help: Change it.\n"
    assert captured.out == ""


@pytest.mark.parametrize("arguments", [["--debug", "validate"], ["validate", "--debug"]])
def test_debug_shows_the_traceback_too(verb, capsys, arguments):
    verb(raiser(fail(ExitCode.RESTORE, "It does not fit.")))
    assert main(arguments) == ExitCode.RESTORE
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.endswith("error: It does not fit.\n")


def test_a_defect_is_a_block_for_an_issue(verb, capsys):
    verb(raiser(KeyError("surprise")))
    assert main(["validate", "a b.toml"]) == ExitCode.UNEXPECTED
    err = capsys.readouterr().err
    assert "This is a defect of ckpt-action" in err
    assert err.count("```") == 2
    assert "command:  ckpt-action validate 'a b.toml'" in err
    assert f"ckpt-action {__version__}" in err
    assert "KeyError: 'surprise'" in err


def test_an_interrupt_is_quiet(verb, capsys):
    verb(raiser(KeyboardInterrupt()))
    assert main(["validate"]) == 128 + signal.SIGINT == cli.INTERRUPTED
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
def test_a_reader_that_goes_away_is_no_error(tmp_path):
    command = [sys.executable, "-m", "ckpt_action", "validate", *["absent.toml"] * 2000]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == cli.BROKEN_PIPE


def test_output_that_the_terminal_cannot_show_is_escaped(tmp_path):
    (tmp_path / "f.toml").write_text('version = 1\nmodels = {}\n"日本" = 1\n', encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "ckpt_action", "validate", "f.toml"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        env={"PYTHONIOENCODING": "ascii"},
    )
    assert run.returncode == ExitCode.CONFIG
    assert b"Unknown key" in run.stdout
    assert b"\\u65e5" in run.stdout
    assert run.stderr == b""
