"""Export the declared checkpoints, prove every artifact and place it in the output folder."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ckpt_action.command_line import (
    add_configuration,
    add_jobs,
    add_reports,
    refuse_other_than_file,
    show,
    stoppable,
)
from ckpt_action.errors import CkptActionError, ExitCode

if TYPE_CHECKING:
    from ckpt_action.outcome import Run
    from ckpt_action.shard import Shard


def configure(parser: argparse.ArgumentParser) -> None:
    add_configuration(parser)
    parser.add_argument(
        "--output-dir", type=Path, metavar="DIR", help="instead of the configuration's"
    )
    parser.add_argument(
        "--shard",
        type=shard,
        metavar="I/N",
        help="only the I-th of N parts of the plan, counted from 1; `merge` joins them",
    )
    parser.add_argument(
        "--no-reuse",
        action="store_true",
        help="export everything again, also what is unchanged since the previous export",
    )
    parser.add_argument(
        "--previous",
        type=Path,
        metavar="PATH",
        help="an earlier export: unchanged models are taken from its folder, and the report says "
        "what changed; a manifest.json alone serves the report; default: what lies in the output "
        "folder",
    )
    add_jobs(parser)
    add_reports(parser)


def run(args: argparse.Namespace) -> ExitCode:
    from ckpt_action.export import Options, export
    from ckpt_action.progress import Progress

    options = Options(
        models=tuple(args.model),
        jobs=args.jobs,
        output_dir=args.output_dir,
        shard=args.shard,
        reuse=not args.no_reuse,
        previous=args.previous,
    )
    try:
        refuse_other_than_file(args.file, "export")
        with stoppable(), Progress(sys.stderr) as progress:
            run, output_dir = export(args.file, options, os.environ, progress)
    except CkptActionError as error:
        if args.format == "github":
            from ckpt_action.report.github import publish_failure

            publish_failure(error.problems, os.environ, config=str(args.file))
        raise
    show(run, args, output_dir)
    written = run.jobs or run.exit_code is not ExitCode.USAGE
    if args.format == "text" and written:
        _tell_places(run, output_dir)
    return run.exit_code


def _tell_places(run: Run, output_dir: Path) -> None:
    """The last words: where to look."""
    from ckpt_action.manifest import REPORT
    from ckpt_action.report.workflow_commands import sanitize

    here = Path.cwd()
    folder = output_dir.relative_to(here) if output_dir.is_relative_to(here) else output_dir
    written = "" if run.exit_code else f"Exported to {folder}. "
    if (output_dir / REPORT).is_file():
        sys.stdout.write(sanitize(f"\n{written}Report: {folder / REPORT}\n"))


def shard(text: str) -> Shard:
    """For argparse, which shows the message of its own errors only."""
    from ckpt_action.shard import read_shard

    try:
        return read_shard(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
