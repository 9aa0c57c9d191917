"""The command itself: verbs, exit codes, and how it ends when it is ended."""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tomli

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


@pytest.mark.parametrize("module", cli.REQUIRED)
@pytest.mark.parametrize("verb", ["validate", "plan", "--help"])
def test_a_package_that_is_missing_is_named(module, verb, tmp_path):
    """As in a clone that was not installed."""
    (tmp_path / "model-export.toml").write_text("version = 2\n")
    program = (
        f"import sys; sys.modules[{module!r}] = None; from ckpt_action.cli import main;"
        f"sys.exit(main([{verb!r}]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if run.returncode == 0:  # help needs no tree-sitter
        assert verb == "--help"
        return
    assert run.returncode == ExitCode.ENVIRONMENT, run.stderr
    first, second = run.stderr.splitlines()
    package = cli.REQUIRED[module]
    assert first == f"error: ckpt-action needs {package}, which is not installed in this Python."
    assert second.startswith("  help: Install ckpt-action with all that it needs: ")
    assert f'-m pip install "{Path(cli.__file__).resolve().parent.parent}"' in second


def test_the_packages_that_are_named_are_those_that_are_installed():
    text = (Path(cli.__file__).resolve().parent.parent / "pyproject.toml").read_text()
    declared = tomli.loads(text)["project"]["dependencies"]
    assert {re.match(r"[\w-]+", one)[0] for one in declared} == {*cli.REQUIRED.values()}


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


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            "export --models digits",
            "export: error: unrecognized arguments: --models; did you mean --model?",
        ),
        ("export --models=a,b", "did you mean --model?"),
        ("plan --modl=a", "did you mean --model?"),
        ("export model-export.toml digits", "; a model is named by --model digits"),
        ("export model-export.toml other.toml", "; one file at a time"),
        ("inspect x --agianst m:f", "did you mean --against?"),
        ("merge --plan p --output-dir o --xyz", "unrecognized arguments: --xyz\n"),
    ],
)
def test_an_option_that_nobody_knows_is_met_with_the_one_that_was_meant(arguments, says, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    assert ended.value.code == ExitCode.USAGE
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["export", "plan"])
def test_a_model_or_a_folder_in_place_of_the_file(verb, tmp_path, monkeypatch, capsys):
    """A folder may have the model's name too."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "captioner").mkdir()
    (tmp_path / "vision").mkdir()
    (tmp_path / "vision" / "model-export.toml").touch()
    for name, meant in (
        ("digits", "--model digits"),
        ("captioner", "--model captioner"),
        ("vision", "vision/model-export.toml"),
    ):
        assert main([verb, name]) == ExitCode.USAGE
        assert f"`ckpt-action {verb} {meant}`" in capsys.readouterr().err
    assert main([verb, "digits.toml"]) == ExitCode.CONFIG
    capsys.readouterr()
    (tmp_path / "vision" / "deep").mkdir()
    for folder, shown in (
        (".", tmp_path.name),
        ("vision/deep", "deep"),
        ("../", tmp_path.parent.name),
    ):
        assert main([verb, folder]) == ExitCode.USAGE
        said = capsys.readouterr().err
        assert f"{shown}/ is a folder that holds no model-export.toml." in said
        assert "--model" not in said


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
