"""What the verbs that start child processes have in common."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from ckpt_action.codec import to_data
from ckpt_action.outcome import Run


def add_jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs",
        type=_positive,
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
    parser.add_argument(
        "--report-dir",
        type=Path,
        metavar="DIR",
        help="write report.html and report.json into this folder",
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
    """Print `run` in the format asked for and write the report files."""
    if args.format == "json":
        print(json.dumps(to_data(run), indent=1))
    elif args.format == "github":
        from ckpt_action.report.github import publish

        whole = getattr(args, "shard", None) is None
        publish(run, os.environ, output_dir=output_dir, summarize=whole)
    else:
        from ckpt_action.report import text
        from ckpt_action.report.workflow_commands import sanitize

        sys.stdout.write(sanitize(text.render(run)))
    if args.report_dir is not None:
        _write_reports(run, args.report_dir)


def _write_reports(run: Run, folder: Path) -> None:
    from ckpt_action.report import page

    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "report.html": page.render(run),
        "report.json": json.dumps(to_data(run), indent=1) + "\n",
    }
    for name, content in files.items():
        temporary = folder / f".{name}.tmp"
        temporary.write_text(content, encoding="utf-8", newline="\n")
        temporary.replace(folder / name)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number
