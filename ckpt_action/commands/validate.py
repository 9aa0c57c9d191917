"""Check model-export.toml, its entry points and its checkpoints without running anything."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ckpt_action.codec import to_data
from ckpt_action.command_line import DEFAULT_FILE
from ckpt_action.config.load import Loaded, load_config
from ckpt_action.errors import ExitCode, Severity, exit_code


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
    results = [(file, _checked(file)) for file in args.files]
    if args.format == "json":
        print(json.dumps(_data(results), indent=2))
    elif args.format == "github":
        _print_github(results)
    else:
        _print_text(results)
    return exit_code(problem for _, loaded in results for problem in loaded.problems)


def _checked(file: Path) -> Loaded:
    from ckpt_action.ignored import ignored_checkpoints

    loaded = load_config(file, with_checkpoints=True)
    if loaded.config is None:
        return loaded
    ignored = ignored_checkpoints(loaded.config, file, os.environ)
    return replace(loaded, problems=(*loaded.problems, *ignored))


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
    return {
        "files": [
            {
                "file": file.as_posix(),
                "ok": loaded.config is not None,
                "problems": to_data(loaded.problems),
            }
            for file, loaded in results
        ]
    }


def _verdict(file: Path, loaded: Loaded) -> str:
    from ckpt_action.report.counting import count

    errors = sum(problem.is_error for problem in loaded.problems)
    if loaded.config is None:
        return f"{file.as_posix()}: {count(errors, 'error')}"
    models = loaded.config.models
    targets = sum(len(model.targets) for model in models)
    warnings = sum(problem.severity is Severity.WARNING for problem in loaded.problems)
    found = f"{count(len(models), 'model')}, {count(targets, 'target')}"
    if warnings:
        found += f", {count(warnings, 'warning')}"
    return f"{file.as_posix()}: ok ({found})"
