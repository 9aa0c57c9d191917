"""The inputs of `action.yml`, as the environment variables that its steps set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ckpt_action.action.declared import declared_output_dir
from ckpt_action.errors import CkptActionError, ExitCode, Problem
from ckpt_action.shard import MOST, read_shard

_PREFIX = "CKPT_ACTION_"
_NOT_IN_ARTIFACT_NAMES = frozenset('":<>|*?\r\n\\/')
"""What `actions/upload-artifact` refuses."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """One use of the action; relative paths are relative to `workspace`."""

    workspace: Path
    config: str
    models: tuple[str, ...]
    output_dir: str
    jobs: str
    python: str
    """Command or absolute path of an interpreter that has everything; empty: make one."""
    tensorflow_version: str
    requirements: tuple[Path, ...]
    artifact_name: str
    shards: int
    """How many parts the plan gets."""
    shard: str
    """The part to export, as `2/8`; empty: everything."""
    reuse: bool
    previous: str


def read_inputs(environ: Mapping[str, str]) -> Inputs:
    """Raises `CkptActionError` with every input that cannot be meant."""
    given = {
        name.removeprefix(_PREFIX).lower(): value.strip()
        for name, value in environ.items()
        if name.startswith(_PREFIX)
    }
    workspace = Path(environ.get("GITHUB_WORKSPACE") or Path.cwd())
    inputs = Inputs(
        workspace=workspace,
        config=given.get("config") or "model-export.toml",
        models=tuple(given.get("models", "").split()),
        output_dir=given.get("output_dir", ""),
        jobs=given.get("jobs", ""),
        python=given.get("python", ""),
        tensorflow_version=given.get("tensorflow_version", ""),
        requirements=tuple(
            workspace / line for line in given.get("requirements", "").splitlines() if line.strip()
        ),
        artifact_name=given.get("artifact_name") or _artifact_name(given, environ),
        shards=int(given["shards"]) if given.get("shards", "").isdecimal() else 0,
        shard=given.get("shard", ""),
        reuse=given.get("reuse", "true") == "true",
        previous=given.get("previous", ""),
    )
    problems = [
        *_problems(inputs),
        *_switches(given),
        *_artifact(given, workspace / inputs.config),
        *_sharding(given, inputs),
    ]
    if problems:
        raise CkptActionError(*problems)
    return inputs


def _artifact_name(given: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """Differs between the jobs of a matrix, and between two configurations in one job."""
    config = Path(given.get("config") or "model-export.toml")
    parts = ["models", environ.get("GITHUB_JOB", "")]
    if int(given.get("job_total") or 1) > 1:
        parts.append(given.get("job_index", ""))
    if config != Path("model-export.toml"):
        parts += [*config.parent.parts, config.stem]
    words = (re.sub(r"[^\w.-]+", "-", part).strip("-.") for part in parts)
    return "-".join(word for word in words if word)


def _problems(inputs: Inputs) -> list[Problem]:
    problems = []
    if not (inputs.workspace / inputs.config).is_file():
        problems.append(
            _problem(
                "config",
                f"there is no file {inputs.config!r} in the workspace.",
                "Is there an actions/checkout step before this one?",
            )
        )
    if inputs.tensorflow_version and not re.fullmatch(
        r"\d+\.\d+(\.\d+)?", inputs.tensorflow_version
    ):
        problems.append(
            _problem(
                "tensorflow-version",
                f"{inputs.tensorflow_version!r} is no version.",
                "Write `2.16` or `2.16.2`, in quotes.",
            )
        )
    if inputs.jobs and not re.fullmatch(r"[1-9]\d*", inputs.jobs):
        problems.append(_problem("jobs", f"{inputs.jobs!r} is no number of processes.", ""))
    problems += [
        _problem("requirements", f"there is no file {str(file)!r}.", "Name one file on each line.")
        for file in inputs.requirements
        if not file.is_file()
    ]
    if bad := sorted(_NOT_IN_ARTIFACT_NAMES & set(inputs.artifact_name)):
        listed = " ".join(bad)
        problems.append(
            _problem("artifact-name", f"{inputs.artifact_name!r} may not hold {listed}", "")
        )
    if inputs.python and (inputs.tensorflow_version or inputs.requirements):
        problems.append(
            _problem(
                "python",
                "with an interpreter of your own nothing is installed.",
                "Leave out tensorflow-version and requirements, or leave out python.",
            )
        )
    return problems


def _switches(given: Mapping[str, str]) -> list[Problem]:
    """What is neither would mean "no" to the steps that compare it, without a word."""
    return [
        _problem(name, f"{given[name]!r} is neither true nor false.", "")
        for name in ("reuse", "upload", "cache")
        if given.get(name, "true") not in {"true", "false"}
    ]


def _artifact(given: Mapping[str, str], config: Path) -> list[Problem]:
    """What `actions/upload-artifact`, or the export, would say no to only after minutes."""
    problems = []
    days = given.get("retention_days", "")
    if days and not re.fullmatch(r"[1-9]\d*", days, re.ASCII):
        problems.append(_problem("retention-days", f"{days!r} is no number of days.", ""))
    folder = Path(given.get("output_dir", ""))
    if given.get("upload") == "true" and folder.name.startswith("."):
        text = f"{str(folder)!r} is hidden, and hidden folders are not uploaded."
        problems.append(_problem("output-dir", text, "Name it without the dot."))
    declared = declared_output_dir(config) if config.is_file() else ""
    if any(part.startswith(".") and part != ".." for part in Path(declared).parts):
        text = f"its `output-dir` {declared!r} is hidden, and hidden folders are not uploaded."
        problems.append(_problem("config", text, "Name it without the dot."))
    return problems


def _sharding(given: Mapping[str, str], inputs: Inputs) -> list[Problem]:
    problems = []
    if "shards" in given and not 1 <= inputs.shards <= MOST:
        text = f"{given['shards']!r} is no number of jobs from 1 to {MOST}."
        problems.append(_problem("shards", text, "A matrix of GitHub has no more."))
    if inputs.shard:
        try:
            read_shard(inputs.shard)
        except ValueError as error:
            problems.append(_problem("shard", str(error), ""))
    return problems


def _problem(name: str, message: str, hint: str) -> Problem:
    return Problem(code=ExitCode.USAGE, message=f"input `{name}`: {message}", hint=hint)
