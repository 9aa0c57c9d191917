"""Show what would be exported, from which files to which, without TensorFlow."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace

from ckpt_action.codec import to_data
from ckpt_action.command_line import add_configuration, refuse_other_than_file, whole_number
from ckpt_action.config.located import located
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Severity, exit_code
from ckpt_action.ignored import ignored_checkpoints
from ckpt_action.jobs.installed import lacking
from ckpt_action.plan import Plan, make_plan
from ckpt_action.shard import MOST
from ckpt_action.sharding.planned import describe
from ckpt_action.sharding.shards import matrix


def configure(parser: argparse.ArgumentParser) -> None:
    add_configuration(parser)
    parser.add_argument(
        "--format",
        choices=("text", "json", "github-matrix"),
        default="text",
        help="text (default), JSON as `merge` reads it, or the job matrix of a GitHub workflow",
    )
    parser.add_argument(
        "--shards",
        type=whole_number(1, MOST),
        metavar="N",
        help="in N parts of about equal checkpoint bytes, at most 256; default: one for each job",
    )


def run(args: argparse.Namespace) -> ExitCode:
    from ckpt_action.config.load import load_config

    refuse_other_than_file(args.file, "plan")
    loaded = load_config(args.file)
    if loaded.config is None:
        raise CkptActionError(*loaded.problems)
    plan = make_plan(loaded.config, models=tuple(args.model))
    ignored = ignored_checkpoints(loaded.config, args.file, os.environ, args.model)
    problems = (*loaded.problems, *plan.problems, *ignored)
    shards = args.shards or min(len(plan.jobs), MOST) or 1
    if args.format == "json":
        print(json.dumps(to_data(describe(plan, problems, shards)), indent=2))
    elif args.format == "github-matrix":
        from ckpt_action.report.problems import print_problems

        print_problems(problems, stream=sys.stderr)
        print(json.dumps(matrix(plan, shards)))
    else:
        from ckpt_action.report.plan import plan_lines
        from ckpt_action.report.problems import print_problems
        from ckpt_action.report.workflow_commands import sanitize

        print_problems((*problems, *_to_install(plan)), stream=sys.stderr)
        sys.stdout.write(sanitize("".join(f"{line}\n" for line in plan_lines(plan))))
    return exit_code(problems)


def _to_install(plan: Plan) -> tuple[Problem, ...]:
    """A note for people: another machine may export what is planned here."""
    missing = located(lacking(plan), plan.config.file)
    return tuple(replace(problem, severity=Severity.NOTE) for problem in missing)
