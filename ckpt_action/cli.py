"""The `ckpt-action` command: finds the verb, runs it, turns every ending into an exit code."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import io
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from ckpt_action import __version__, commands
from ckpt_action.errors import CkptActionError, ExitCode, Problem, exit_code

REQUIRED = {
    "jsonschema": "jsonschema",
    "tomli": "tomli",
    "tree_sitter": "tree-sitter",
    "tree_sitter_toml": "tree-sitter-toml",
}
"""Modules, and the packages that have them, without which no configuration is read."""
INTERRUPTED = 128 + 2
BROKEN_PIPE = 128 + 13


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb with `argv` (default: the process's own arguments); return the exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        args = _parse(arguments)
        code = int(_run(args, arguments))
        sys.stdout.flush()
    except ModuleNotFoundError as error:
        return int(_not_installed(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; Python would complain again when it closes stdout at exit.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return code


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Ends with status 2 and a usage message where they cannot be understood."""
    parser, verbs = _parsers(arguments)
    args, unknown = parser.parse_known_args(arguments)
    if unknown:
        verb = verbs[args.verb]
        verb.error(f"unrecognized arguments: {' '.join(unknown)}{_meant(unknown[0], verb)}")
    return args


def _meant(word: str, verb: argparse.ArgumentParser) -> str:
    from ckpt_action.command_line import is_name

    options = re.findall(r"--[a-z-]+", verb.format_usage())
    if word.startswith("-"):
        near = difflib.get_close_matches(word.partition("=")[0], options, n=1)
        return f"; did you mean {near[0]}?" if near else ""
    if "--model" not in options:
        return ""
    return f"; a model is named by --model {word}" if is_name(word) else "; one file at a time"


def _parsers(
    arguments: Sequence[str],
) -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """A parser with only the verb that was given, so that no other is imported; else with all.
    And those of the verbs."""
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
    parsers = {}
    for name in [verb] if verb in known else known:
        command = commands.load(name)
        summary = (command.__doc__ or "").strip().splitlines()[0].rstrip(".")
        parsers[name] = verbs.add_parser(
            name, help=summary, description=f"{summary}.", parents=[debug]
        )
        command.configure(parsers[name])
    return parser, parsers


def _run(args: argparse.Namespace, arguments: Sequence[str]) -> ExitCode:
    debug = getattr(args, "debug", False)
    try:
        return commands.load(args.verb).run(args)
    except CkptActionError as error:
        from ckpt_action.report.problems import print_problems

        if debug:
            _print_traceback()
        print_problems(error.problems, stream=sys.stderr)
        return exit_code(error.problems)
    except BrokenPipeError:
        raise
    except ModuleNotFoundError as error:
        if error.name in REQUIRED:
            raise
        return _defect(arguments)
    except Exception:  # noqa: BLE001 - a defect of ours: say all that a bug report needs
        return _defect(arguments)


def _defect(arguments: Sequence[str]) -> ExitCode:
    """Of the exception that is being handled."""
    from ckpt_action.report.defect import defect_report

    print(defect_report(arguments), file=sys.stderr)
    return ExitCode.UNEXPECTED


def _not_installed(error: ModuleNotFoundError) -> ExitCode:
    """Where a clone is run that was not installed."""
    if error.name not in REQUIRED:
        raise error
    from ckpt_action.report.problems import print_problems

    clone = Path(__file__).resolve().parent.parent
    what = f'"{clone}"' if (clone / "pyproject.toml").is_file() else "ckpt-action"
    problem = Problem(
        code=ExitCode.ENVIRONMENT,
        message=f"ckpt-action needs {REQUIRED[error.name]}, which is not installed in this Python.",
        hint=f"Install ckpt-action with all that it needs: {sys.executable} -m pip install {what}",
    )
    print_problems([problem], stream=sys.stderr)
    return problem.code


def _print_traceback() -> None:
    import traceback

    traceback.print_exc()
