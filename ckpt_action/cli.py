"""The `ckpt-action` command: finds the verb, runs it, turns every ending into an exit code."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Sequence

from ckpt_action import __version__, commands
from ckpt_action.errors import CkptActionError, ExitCode, Severity, gravest

INTERRUPTED = 128 + 2
BROKEN_PIPE = 128 + 13


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb with `argv` (default: the process's own arguments); return the exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    args = _parser(arguments).parse_args(arguments)
    try:
        code = int(_run(args, arguments))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; Python would complain again when it closes stdout at exit.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return code


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Knows the verb in `arguments` only, so that no other verb is imported; else all of them."""
    debug = argparse.ArgumentParser(add_help=False)
    debug.add_argument(
        "--debug",
        action="store_true",
        default=argparse.SUPPRESS,
        help="show the traceback of every error",
    )
    parser = argparse.ArgumentParser(
        prog="ckpt-action",
        description="Turn TensorFlow checkpoints into proven SavedModels, frozen graphs, "
        "TensorFlow.js, TFLite and ONNX models.",
        parents=[debug],
    )
    parser.add_argument("--version", action="version", version=f"ckpt-action {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    known = commands.names()
    verb = next((word for word in arguments if not word.startswith("-")), None)
    for name in [verb] if verb in known else known:
        command = commands.load(name)
        summary = (command.__doc__ or "").strip().splitlines()[0].rstrip(".")
        command.configure(
            verbs.add_parser(name, help=summary, description=f"{summary}.", parents=[debug])
        )
    return parser


def _run(args: argparse.Namespace, arguments: Sequence[str]) -> ExitCode:
    debug = getattr(args, "debug", False)
    try:
        return commands.load(args.verb).run(args)
    except CkptActionError as error:
        from ckpt_action.report.problems import print_problems

        if debug:
            _print_traceback()
        print_problems(error.problems, stream=sys.stderr)
        return gravest(p.code for p in error.problems if p.severity is Severity.ERROR)
    except BrokenPipeError:
        raise
    except Exception:  # noqa: BLE001 - a defect of ours: say all that a bug report needs
        from ckpt_action.report.defect import defect_report

        print(defect_report(arguments), file=sys.stderr)
        return ExitCode.UNEXPECTED


def _print_traceback() -> None:
    import traceback

    traceback.print_exc()
