"""Attach an exported folder to a GitHub release: as a draft, checked, then published."""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

from ckpt_action.errors import CkptActionError, ExitCode, fail


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="what `export` wrote into")
    parser.add_argument("--tag", required=True, help="the release's tag")
    parser.add_argument(
        "--repository",
        metavar="OWNER/NAME",
        default=os.environ.get("GITHUB_REPOSITORY"),
        help="default: GITHUB_REPOSITORY",
    )
    parser.add_argument("--draft", action="store_true", help="leave a draft unpublished")
    parser.add_argument(
        "--prerelease",
        action="store_true",
        help="mark a release that is made here as one; one that is there keeps its mark, title "
        "and text",
    )
    parser.add_argument("--name", default="", help="its title; default: the tag")
    parser.add_argument("--notes", default="", metavar="TEXT", help="its text, as Markdown")
    parser.add_argument(
        "--generate-notes",
        action="store_true",
        help="let GitHub add to the text what was merged since the release before",
    )
    parser.add_argument(
        "--replace",
        action="store_true",
        help="replace assets that are there with other bytes; without it they are an error",
    )
    parser.add_argument(
        "--allow-unproven",
        action="append",
        default=[],
        metavar="MODEL",
        help="release this model although it is not proven; may be given several times",
    )
    parser.add_argument(
        "--assets-dir",
        type=Path,
        metavar="DIR",
        help="keep the attached files in this new or empty folder",
    )
    parser.add_argument(
        "--format",
        choices=("text", "github"),
        default="text",
        help="text (default); or annotations, summary and outputs of a GitHub job",
    )


def run(args: argparse.Namespace) -> ExitCode:
    try:
        return _release(args)
    except CkptActionError as error:
        if args.format == "github":
            from ckpt_action.report.github import print_annotations

            print_annotations(error.problems)
        raise


def _release(args: argparse.Namespace) -> ExitCode:
    from ckpt_action.release.run import release
    from ckpt_action.release.wanted import Wanted

    if not args.repository:
        raise fail(
            ExitCode.USAGE,
            "No repository was given.",
            hint="Give --repository OWNER/NAME, or set GITHUB_REPOSITORY.",
        )
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", args.repository):
        raise fail(
            ExitCode.USAGE,
            f"{args.repository!r} names no repository.",
            hint="Give --repository OWNER/NAME.",
        )
    wanted = Wanted(
        repository=args.repository,
        tag=args.tag,
        draft=args.draft,
        prerelease=args.prerelease,
        name=args.name,
        notes=args.notes,
        generate_notes=args.generate_notes,
        replace=args.replace,
        allow_unproven=tuple(args.allow_unproven),
    )
    with tempfile.TemporaryDirectory(prefix="ckpt-action-") as temporary:
        into = args.assets_dir or Path(temporary) / "assets"
        made = release(args.folder, wanted, into, environ=os.environ, say=_say)
        if args.format == "github":
            from ckpt_action.release.report import publish_release

            publish_release(made, into.absolute(), os.environ)
    state = "draft" if made.draft else "published"
    print(f"{state}: {made.page}")
    return ExitCode.OK


def _say(text: str) -> None:
    from ckpt_action.report.workflow_commands import sanitize

    print(sanitize(text), file=sys.stderr, flush=True)
