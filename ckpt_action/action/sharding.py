"""Two steps of the reusable workflow that run no user code: the plan before the shards, the merge
after them. The merge takes nothing but the standard library."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ckpt_action.action.inputs import Inputs
from ckpt_action.codec import to_data
from ckpt_action.errors import ExitCode, Problem, exit_code
from ckpt_action.manifest import RECORD
from ckpt_action.report.github import print_annotations, publish_failure
from ckpt_action.report.workflow_commands import write_outputs


def plan(inputs: Inputs, environ: Mapping[str, str]) -> int:
    """Write the plan into a file and the matrix into the outputs.

    What is wrong with one model is told here and again by the merge; only where nothing can be
    exported does this step fail.
    """
    from ckpt_action.config.load import load_config
    from ckpt_action.plan import make_plan
    from ckpt_action.report.plan import plan_lines
    from ckpt_action.report.problems import print_problems
    from ckpt_action.report.workflow_commands import sanitize
    from ckpt_action.sharding.planned import describe
    from ckpt_action.sharding.shards import matrix

    loaded = load_config(Path(inputs.config))
    made = make_plan(loaded.config, models=inputs.models) if loaded.config else None
    problems = loaded.problems + (made.problems if made else ())
    print_problems(problems, environ=environ)
    if made is None or not made.jobs:
        wrong = (*problems, *_nothing(problems))
        publish_failure(wrong, environ, config=inputs.config)
        return exit_code(wrong)
    print_annotations(problems)
    print(sanitize("\n".join(plan_lines(made))))
    file = Path(environ["RUNNER_TEMP"]) / "ckpt-action-plan" / "plan.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(to_data(describe(made, problems, inputs.shards)), indent=1) + "\n")
    outputs = {"matrix": json.dumps(matrix(made, inputs.shards)), "plan": str(file)}
    write_outputs(Path(environ["GITHUB_OUTPUT"]), outputs)
    return ExitCode.OK


def _nothing(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Nothing to export is an error, also where nobody said why."""
    if any(problem.is_error for problem in problems):
        return ()
    return (Problem(code=ExitCode.CONFIG, message="There is nothing to export."),)


def merge(environ: Mapping[str, str]) -> int:
    """Join what the shards have left below one folder; what is missing is told by name."""
    from ckpt_action.cli import main as run_verb

    folders = _folders(Path(environ["CKPT_ACTION_SHARDS"]))
    previous = environ.get("CKPT_ACTION_PREVIOUS")
    return run_verb(
        [
            *("merge", *folders, "--plan", environ["CKPT_ACTION_PLAN"]),
            *("--output-dir", environ["CKPT_ACTION_FOLDER"], "--format", "github"),
            *(("--previous", previous) if previous else ()),
        ]
    )


def _folders(shards: Path) -> list[str]:
    """One for each shard. Where there is one only, actions/download-artifact makes no folder."""
    if (shards / RECORD).is_file():
        return [str(shards)]
    return sorted(str(folder) for folder in shards.iterdir()) if shards.is_dir() else []
