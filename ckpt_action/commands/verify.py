"""Check an exported folder again: its files, its payload bytes and its golden values."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ckpt_action.command_line import add_jobs, add_reports, show, stoppable
from ckpt_action.errors import ExitCode


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="what `export` wrote into")
    parser.add_argument(
        "--base",
        type=Path,
        metavar="DIR",
        help="the configuration's folder, where golden files lie and tolerances are declared; "
        "default: searched in the working directory and above the exported folder",
    )
    parser.add_argument(
        "--op-library",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="a library of custom ops that the artifacts need, known by its digest; it is loaded, "
        "so its code runs; may be given several times",
    )
    add_jobs(parser)
    add_reports(parser)


def run(args: argparse.Namespace) -> ExitCode:
    from ckpt_action.output.recheck import Options, recheck
    from ckpt_action.progress import Progress

    options = Options(base=args.base, jobs=args.jobs, op_libraries=tuple(args.op_library))
    with stoppable(), Progress(sys.stderr) as progress:
        run = recheck(args.folder, options, os.environ, progress)
    show(run, args, args.folder)
    return run.exit_code
