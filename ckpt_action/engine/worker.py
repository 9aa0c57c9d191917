"""One child process: calls one task, and leaves its result or its problems in a file.

`server.py` calls `run_task` in a forked child. Where forking is not possible, this module is run
as `python -m ckpt_action.engine.worker` with the request on stdin.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ckpt_action.codec import to_data
from ckpt_action.engine.out_of_memory import out_of_memory
from ckpt_action.errors import CkptActionError, ExitCode, Problem, first_line
from ckpt_action.processes.environments import import_problem
from ckpt_action.processes.requests import LOG, Failure

RESULT = "result.json"
STAGE = "stage"


def run_task(task: str, arguments: Mapping[str, Any], work: Path) -> None:
    """Call `module:function` with `arguments` and the folder `work`; write what comes out.

    `result.json` holds {"result": record} or {"failure": Failure}; it appears whole or not at all.
    """
    try:
        module, _, function = task.partition(":")
        answer = {
            "result": to_data(getattr(importlib.import_module(module), function)(arguments, work))
        }
    except CkptActionError as error:
        answer = {"failure": to_data(Failure(problems=error.problems))}
    except ImportError as error:
        answer = {"failure": to_data(Failure(problems=(import_problem(error),)))}
    except SystemExit as error:
        answer = {"failure": to_data(Failure(problems=(_exited(error),)))}
    except BaseException as error:  # noqa: BLE001 - nothing that was raised may be lost
        answer = {"failure": to_data(Failure(problems=(unexpected_problem(error),)))}
    temporary = work / f"{RESULT}.tmp"
    temporary.write_text(json.dumps(answer))
    temporary.replace(work / RESULT)


def enter_stage(work: Path, stage: str) -> None:
    """Leave a word on what is being done, for the message if this process does not survive it."""
    (work / STAGE).write_text(stage)


def printed_bytes(work: Path) -> int:
    """How much this process has printed by now; 0 where nobody keeps it."""
    flush_output()
    log = work / LOG
    return log.stat().st_size if log.is_file() else 0


def unexpected_problem(error: BaseException) -> Problem:
    """Of something raised that nobody explained: memory, or a defect of ours."""
    details = tuple("".join(traceback.format_exception(error)).splitlines())
    text = first_line(error)[:300]
    if out_of_memory(error):
        return Problem(
            code=ExitCode.CRASH,
            message=f"Not enough memory: {text}",
            hint="Run with --jobs 1, or on a machine with more memory.",
            details=details,
        )
    return Problem(
        code=ExitCode.UNEXPECTED,
        message=f"{type(error).__name__}: {text}",
        hint="This is a defect of ckpt-action; please report it with the details.",
        details=details,
    )


def flush_output() -> None:
    """The user's code may have closed the streams, or set them to None or to anything else."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()


def _exited(error: SystemExit) -> Problem:
    return Problem(
        code=ExitCode.CRASH,
        message=f"The code called sys.exit({error.code!r}) while the model was being exported.",
        hint="Keep sys.exit out of what runs at import and in the entry point.",
        details=tuple(traceback.format_exc().splitlines()),
    )


def main() -> None:
    """The request comes as one JSON object: {"task", "arguments", "work"}."""
    request = json.load(sys.stdin)
    run_task(request["task"], request["arguments"], Path(request["work"]))
    flush_output()
    os._exit(0)  # TensorFlow's teardown takes time and can crash


if __name__ == "__main__":
    main()
