"""Join the shards of one export into one folder, and check that nothing is missing or double."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ckpt_action.command_line import add_reports, show
from ckpt_action.errors import CkptActionError, ExitCode


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders",
        nargs="*",
        type=Path,
        metavar="DIR",
        help="what each `export --shard I/N` wrote into",
    )
    parser.add_argument(
        "--plan",
        type=Path,
        required=True,
        metavar="FILE",
        help="what `plan --format json --shards N` printed",
    )
    parser.add_argument(
        "--output-dir", type=Path, required=True, metavar="DIR", help="a new folder for all of it"
    )
    parser.add_argument(
        "--previous",
        type=Path,
        metavar="PATH",
        help="an earlier export, its folder or its manifest.json: the report says what changed",
    )
    add_reports(parser)


def run(args: argparse.Namespace) -> ExitCode:
    from ckpt_action.sharding.merge import merge

    try:
        run = merge(args.plan, args.folders, args.output_dir, args.previous)
    except CkptActionError as error:
        if args.format == "github":
            from ckpt_action.report.github import publish_failure

            publish_failure(error.problems, os.environ, config=str(args.plan))
        raise
    show(run, args, args.output_dir)
    return run.exit_code
