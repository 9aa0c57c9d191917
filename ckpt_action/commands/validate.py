"""Check model-export.toml, its entry points and its checkpoints without running anything."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from ckpt_action.config.load import Loaded, load_config
from ckpt_action.errors import ExitCode, Severity, gravest

DEFAULT_FILE = "model-export.toml"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        default=[Path(DEFAULT_FILE)],
        metavar="FILE",
        help=f"default: {DEFAULT_FILE}",
    )
    parser.add_argument(
        "--format",
        choices=("text", "github", "json"),
        default="text",
        help="text with source lines (default), annotations of a GitHub job, or JSON",
    )


def run(args: argparse.Namespace) -> ExitCode:
    results = [(file, load_config(file, with_checkpoints=True)) for file in args.files]
    if args.format == "json":
        print(json.dumps(_data(results), indent=2))
    elif args.format == "github":
        _print_github(results)
    else:
        _print_text(results)
    return gravest(
        problem.code
        for _, loaded in results
        for problem in loaded.problems
        if problem.severity is Severity.ERROR
    )


def _print_text(results: Sequence[tuple[Path, Loaded]]) -> None:
    from ckpt_action.report.problems import print_problems

    for file, loaded in results:
        print_problems(loaded.problems)
        print(_verdict(file, loaded))


def _print_github(results: Sequence[tuple[Path, Loaded]]) -> None:
    from ckpt_action.report.annotations import annotation_commands
    from ckpt_action.report.workflow_commands import sanitize

    for line in annotation_commands(p for _, loaded in results for p in loaded.problems):
        print(line)
    for file, loaded in results:
        print(sanitize(_verdict(file, loaded)))


def _data(results: Sequence[tuple[Path, Loaded]]) -> dict[str, object]:
    from ckpt_action.report.problems import problems_data

    return {
        "files": [
            {
                "file": file.as_posix(),
                "ok": loaded.config is not None,
                "problems": problems_data(loaded.problems),
            }
            for file, loaded in results
        ]
    }


def _verdict(file: Path, loaded: Loaded) -> str:
    errors = sum(problem.severity is Severity.ERROR for problem in loaded.problems)
    if loaded.config is None:
        return f"{file.as_posix()}: {_count(errors, 'error')}"
    models = loaded.config.models
    targets = sum(len(model.targets) for model in models)
    warnings = sum(problem.severity is Severity.WARNING for problem in loaded.problems)
    found = f"{_count(len(models), 'model')}, {_count(targets, 'target')}"
    if warnings:
        found += f", {_count(warnings, 'warning')}"
    return f"{file.as_posix()}: ok ({found})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
