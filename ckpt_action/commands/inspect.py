"""Show what a checkpoint is and holds, without TensorFlow; or whether a model fits it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

from ckpt_action.checkpoint.names import natural_key, shown
from ckpt_action.checkpoint.records import CheckpointFiles, CheckpointSummary, Entry, Role
from ckpt_action.errors import CkptActionError, ExitCode, fail
from ckpt_action.outcome import BindingRecord

_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "checkpoint",
        metavar="CHECKPOINT",
        help="a prefix, a file, a folder, or a glob over them in quotes",
    )
    parser.add_argument(
        "--select",
        type=_select,
        default="latest",
        metavar="STEP",
        help="where several match: latest (default) or a step",
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="text (default) or JSON"
    )
    against = parser.add_argument_group(
        "whether a model fits", "These run the model's code in a child process, with TensorFlow."
    )
    against.add_argument(
        "--against",
        metavar="MODEL",
        help="`module:callable`, imported from the working directory or the `python-path` of "
        "--config, or a model of --config with all that is declared for it, as is code that one "
        "model declares: show both sides of what does not fit, or say that all fits",
    )
    against.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the configuration that --against is about; default: model-export.toml",
    )
    against.add_argument(
        "--keras", choices=("auto", "3", "2"), help="instead of what is declared, else auto"
    )


def run(args: argparse.Namespace) -> ExitCode:
    from ckpt_action.checkpoint.discover import discover
    from ckpt_action.checkpoint.inspect import summarize
    from ckpt_action.ignored import ignored_checkpoint
    from ckpt_action.report.problems import print_problems

    if args.against is None and (args.config or args.keras):
        raise fail(ExitCode.USAGE, "--config and --keras say something about --against only.")
    found, problems = discover((args.checkpoint,), Path.cwd(), args.select, look_inside=True)
    if problems:
        raise CkptActionError(*problems)
    print_problems(ignored_checkpoint(found[0], os.environ), stream=sys.stderr)
    if args.against is not None:
        return _compare(found[0], args)
    summary = summarize(found[0])
    if args.format == "json":
        print(json.dumps(summary_data(summary), indent=2))
    else:
        from ckpt_action.report.workflow_commands import sanitize

        sys.stdout.write(sanitize("\n".join(summary_lines(summary)) + "\n"))
    return ExitCode.OK


def _compare(files: CheckpointFiles, args: argparse.Namespace) -> ExitCode:
    from ckpt_action.codec import to_data
    from ckpt_action.command_line import stoppable
    from ckpt_action.jobs.against import Against, fit, job_against
    from ckpt_action.progress import Progress
    from ckpt_action.report.problems import print_problems
    from ckpt_action.report.workflow_commands import sanitize

    against = Against(model=args.against, keras=args.keras, config=args.config)
    job, notes = job_against(files, against)
    print_problems(notes, stream=sys.stderr)
    with stoppable(), Progress(sys.stderr) as progress:
        progress(args.against, f"restoring {files.path.name}")
        result = fit(job, os.environ, partial(progress.waiting, args.against))
    print_problems(result.problems, stream=sys.stderr)
    if args.format == "json":
        print(json.dumps({"version": 1, **to_data(result.binding)}, indent=2))
    else:
        print(sanitize(_fits(result.binding)))
    return ExitCode.OK


def _fits(binding: BindingRecord) -> str:
    from ckpt_action.report.counting import count

    how = [f"by {binding.route}", *([f"from {binding.root}"] if binding.root else [])]
    how += [f"under Keras {binding.keras}"] if binding.keras != "none" else []
    return f"fits: {count(binding.bound, 'variable')}, {', '.join(how)}"


def _select(text: str) -> Literal["latest"] | int:
    if text == "latest":
        return "latest"
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is neither `latest` nor a step")
    return int(text)


def summary_data(summary: CheckpointSummary) -> dict[str, object]:
    """The record as JSON data, with totals by role."""
    from ckpt_action.codec import to_data

    data: dict[str, object] = to_data(summary)
    totals = {
        role.value: {"values": count, "bytes": size} for role, count, size in _totals(summary)
    }
    return {"version": 1, **data, "totals": totals}


def summary_lines(summary: CheckpointSummary) -> Iterator[str]:
    """The record for people: what it is, its parts, its values by role."""
    from ckpt_action.report.figures import human_bytes

    files = summary.files
    yield _shown(files.path)
    yield f"  kind    {files.kind.value}, written by {files.writer.value}"
    if files.step is not None:
        yield f"  step    {files.step}"
    yield f"  files   {len(files.files)} ({human_bytes(files.bytes)})"
    for note in files.notes:
        yield f"  note    {note}"
    parts = [f"{name} ({role.value})" for name, role in summary.roots.items()]
    if parts:
        yield f"  parts   {shown(parts)}"
    yield ""
    for role, count, size in _totals(summary):
        yield f"{role.value}: {count} {'value' if count == 1 else 'values'}, {human_bytes(size)}"
        if role is Role.OPTIMIZER:  # as many again as the model's, or twice that
            yield "  `--format json` lists them"
        else:
            yield from _table([entry for entry in summary.entries if entry.role is role])
        yield ""


def _totals(summary: CheckpointSummary) -> Iterator[tuple[Role, int, int]]:
    for role in Role:
        entries = [entry for entry in summary.entries if entry.role is role]
        if entries:
            yield role, len(entries), sum(entry.bytes for entry in entries)


def _table(entries: list[Entry]) -> Iterator[str]:
    """By the path in the model, where it has one, and then the key where that is another."""
    rows = []
    for entry in entries:
        key = entry.key.removesuffix(_SUFFIX)
        path = entry.path or key
        stored = "" if path == key else f"stored as {key}"
        rows.append((path, entry.dtype, str(list(entry.shape)), entry.full_name, stored))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in sorted(rows, key=lambda row: natural_key(Path(row[0]))):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {cells}".rstrip()


def _shown(path: Path) -> str:
    """Relative to the working directory where the path lies below it."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)
