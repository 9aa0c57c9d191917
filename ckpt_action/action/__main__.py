"""`python -m ckpt_action.action STEP`: what the steps of the actions do."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from ckpt_action.action.credentials import refuse_kept_credentials
from ckpt_action.action.environment import (
    EXPORTING,
    PLANNING,
    cache_folder,
    cache_key,
    interpreter,
)
from ckpt_action.action.events import refuse_foreign_head
from ckpt_action.action.inputs import Inputs, read_inputs
from ckpt_action.action.release import release
from ckpt_action.action.sharding import merge, plan
from ckpt_action.action.tensorflow_js import tensorflow_js
from ckpt_action.errors import CkptActionError, exit_code
from ckpt_action.report.github import print_annotations
from ckpt_action.report.problems import print_problems
from ckpt_action.report.workflow_commands import write_outputs
from ckpt_action.secret_names import is_secret

_LATER_STEPS = {"GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE"}
"""Files that change the environment of the steps to come."""


def main(argv: Sequence[str]) -> int:
    """Run one step; return its exit code. The inputs come from the environment."""
    try:
        refuse_foreign_head(os.environ)
        (step,) = argv
        if step in _WITHOUT_INPUTS:
            return _WITHOUT_INPUTS[step](os.environ)
        return _STEPS[step](read_inputs(os.environ))
    except CkptActionError as error:
        print_problems(error.problems)
        print_annotations(error.problems)
        return exit_code(error.problems)


def withheld(environ: Mapping[str, str]) -> list[str]:
    """Names of the variables that open a door, which the repository's own code may not see."""
    return sorted(name for name in environ if is_secret(name) or name in _LATER_STEPS)


def _tell(inputs: Inputs) -> int:
    """The inputs are good, and no token lies about; hand on what follows from them."""
    notes = refuse_kept_credentials(inputs.workspace)
    print_problems(notes)
    print_annotations(notes)
    values = {"artifact-name": inputs.artifact_name}
    if not inputs.python:
        values |= {"cache-key": cache_key(inputs), "cache-folder": str(cache_folder(os.environ))}
    write_outputs(Path(os.environ["GITHUB_OUTPUT"]), values)
    return 0


def _setup(inputs: Inputs, locked: str) -> int:
    python = interpreter(inputs, os.environ, locked)
    values = {"python": str(python)}
    if locked == EXPORTING:
        values["tensorflow-js"] = tensorflow_js(inputs, os.environ)
    write_outputs(Path(os.environ["GITHUB_OUTPUT"]), values)
    return 0


def _export(inputs: Inputs) -> int:
    if names := withheld(os.environ):
        print("Withheld from the code that is exported:", ", ".join(names), flush=True)
        for name in names:
            del os.environ[name]
        if os.name == "posix":
            # A child can read what its parent was started with; so start again without it.
            again = [sys.executable, "-I", "-m", "ckpt_action.action", "export"]
            os.execv(sys.executable, again)  # noqa: S606 - this very program

    from ckpt_action.cli import main as run_verb

    arguments = ["export", inputs.config, "--format", "github"]
    for model in inputs.models:
        arguments += ["--model", model]
    options = {
        "--output-dir": inputs.output_dir,
        "--jobs": inputs.jobs,
        "--shard": inputs.shard,
        "--previous": inputs.previous,
    }
    for option, value in options.items():
        arguments += [option, value] if value else []
    arguments += [] if inputs.reuse else ["--no-reuse"]
    return run_verb(arguments)


_WITHOUT_INPUTS = {"release": release, "merge": merge}
_STEPS: dict[str, Callable[[Inputs], int]] = {
    "inputs": _tell,
    "setup": partial(_setup, locked=EXPORTING),
    "setup-plan": partial(_setup, locked=PLANNING),
    "plan": lambda inputs: plan(inputs, os.environ),
    "export": _export,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
