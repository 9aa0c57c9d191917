"""Export the declared checkpoints, prove every artifact and place it in the output folder."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ckpt_action.command_line import add_jobs, add_reports, show, stoppable
from ckpt_action.errors import CkptActionError, ExitCode

DEFAULT_FILE = "model-export.toml"


def configure(parser: argparse.ArgumentParser) -> None:
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
    parser.add_argument(
        "--output-dir", type=Path, metavar="DIR", help="instead of the configuration's"
    )
    add_jobs(parser)
    add_reports(parser)


def run(args: argparse.Namespace) -> ExitCode:
    from ckpt_action.export import Options, export
    from ckpt_action.progress import Progress

    options = Options(models=tuple(args.model), jobs=args.jobs, output_dir=args.output_dir)
    try:
        with stoppable(), Progress(sys.stderr) as progress:
            run, output_dir = export(args.file, options, os.environ, progress)
    except CkptActionError as error:
        if args.format == "github":
            _tell_github(error, args.file)
        raise
    show(run, args, output_dir)
    return run.exit_code


def _tell_github(error: CkptActionError, file: Path) -> None:
    from ckpt_action import __version__
    from ckpt_action.report.github import publish_failure

    publish_failure(error.problems, os.environ, tool=__version__, config=str(file))
