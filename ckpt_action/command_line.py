"""What the verbs that start child processes have in common."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from ckpt_action.errors import ExitCode, fail

if TYPE_CHECKING:
    from ckpt_action.outcome import Run

DEFAULT_FILE = "model-export.toml"


def add_configuration(parser: argparse.ArgumentParser) -> None:
    """The file, and which of its models."""
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=Path(DEFAULT_FILE),
        metavar="FILE",
        help=f"default: {DEFAULT_FILE}",
    )
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="NAME",
        help="only this model; may be given several times",
    )


def is_name(path: str | Path) -> bool:
    """Whether it may be a model's name: one part, without the ending of a file."""
    return len(Path(path).parts) == 1 and not Path(path).suffix and str(path) not in (".", "..")


def refuse_other_than_file(file: Path, verb: str) -> None:
    """Raise CkptActionError (USAGE) where `file` is a folder, or seems to be a model's name."""
    within = file / DEFAULT_FILE
    if file.is_dir() and within.is_file():
        message = f"{file.as_posix()} is a folder, not a configuration."
        hint = f"Give the file in it: `ckpt-action {verb} {within.as_posix()}`."
    elif file.is_dir():
        message = f"{file.resolve().name}/ is a folder that holds no {DEFAULT_FILE}."
        hint = f"Give the configuration's file: `ckpt-action {verb} FILE`."
        if is_name(file):
            hint = f"A model is named by an option: `ckpt-action {verb} --model {file}`."
    elif is_name(file) and not file.exists():
        message = f"There is no configuration {file}."
        hint = f"A model is named by an option: `ckpt-action {verb} --model {file}`."
    else:
        return
    raise fail(ExitCode.USAGE, message, hint=hint)


def add_jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs",
        type=whole_number(1),
        default=os.cpu_count() or 1,
        metavar="N",
        help="child processes at once, fewer where memory is short; default: one per processor",
    )


def add_reports(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format",
        choices=("text", "github", "json"),
        default="text",
        help="text (default); annotations, summary and outputs of a GitHub job; or JSON",
    )


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM stops as Ctrl-C does: children end, nothing half made is left."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise KeyboardInterrupt


def show(run: Run, args: argparse.Namespace, output_dir: Path) -> None:
    """Print `run` in the format asked for."""
    if args.format == "json":
        from ckpt_action.codec import to_data

        print(json.dumps(to_data(run), indent=1))
    elif args.format == "github":
        from ckpt_action.report.github import publish

        whole = getattr(args, "shard", None) is None
        publish(run, os.environ, output_dir=output_dir, summarize=whole)
    else:
        from ckpt_action.report import text
        from ckpt_action.report.workflow_commands import sanitize

        sys.stdout.write(sanitize(text.render(run)))


def whole_number(low: int, high: int | None = None) -> Callable[[str], int]:
    """The type of an argument: a whole number from `low` to `high`."""

    def read(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= (high or int(text)):
            end = "" if high is None else f" to {high}"
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {low}{end}")
        return int(text)

    return read
