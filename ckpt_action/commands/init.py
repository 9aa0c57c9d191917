"""Write a first model-export.toml from the checkpoints and model builders of a repository."""

from __future__ import annotations

import argparse
from pathlib import Path

from ckpt_action.command_line import DEFAULT_FILE
from ckpt_action.config.builders import find_builders
from ckpt_action.config.load import load_config
from ckpt_action.config.places import outer_file
from ckpt_action.config.scaffold import scaffold
from ckpt_action.config.survey import find_checkpoints, find_golden
from ckpt_action.errors import ExitCode, Problem, Where, exit_code, fail, warning
from ckpt_action.report.problems import print_problems
from ckpt_action.repository import path_from


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path(),
        metavar="FOLDER",
        help=f"where to search and to write {DEFAULT_FILE}; default: the working directory",
    )


def run(args: argparse.Namespace) -> ExitCode:
    file = args.folder / DEFAULT_FILE
    if not args.folder.is_dir():
        raise fail(ExitCode.USAGE, f"There is no folder {args.folder.as_posix()}.")
    if file.exists():
        message = f"{file.as_posix()} is there already; it is left as it is."
        raise fail(ExitCode.OUTPUT, message, hint="`ckpt-action validate` checks it.")
    checkpoints = find_checkpoints(args.folder)
    if not checkpoints:
        raise fail(
            ExitCode.CHECKPOINT,
            f"There is no checkpoint below {args.folder.absolute().name}.",
            hint=_around(file) or "Start where the checkpoints lie, or fetch them first.",
        )
    builders = find_builders(args.folder)
    golden = find_golden(args.folder)
    try:
        with file.open("x", encoding="utf-8", newline="\n") as opened:
            opened.write(scaffold(args.folder, checkpoints, builders, golden))
    except OSError as error:
        message = f"{file.as_posix()} cannot be written: {error.strerror or error}."
        raise fail(ExitCode.OUTPUT, message) from error
    loaded = load_config(file, with_checkpoints=True)
    print_problems((*_second(file), *loaded.problems))
    models = "1 model" if len(checkpoints) == 1 else f"{len(checkpoints)} models"
    code = exit_code(loaded.problems)
    then = "complete it as said above, then run `ckpt-action validate`"
    then = then if code else "look it over, then run `ckpt-action export`"
    print(f"{file.as_posix()}: written ({models}); {then}.")
    return code


def _around(file: Path) -> str:
    """That a folder around that of `file` has one already; empty where none has."""
    outer = outer_file(file)
    return f"{path_from(Path.cwd(), outer)} is there already." if outer else ""


def _second(file: Path) -> tuple[Problem, ...]:
    """What to say of `file` where a folder around it has one already."""
    if not (around := _around(file)):
        return ()
    return (
        warning(
            ExitCode.CONFIG,
            f"{around} This is a second file, which knows nothing of it.",
            hint="Delete it if its models belong into the other.",
            where=Where(file=file.as_posix()),
        ),
    )
