"""What a run tells the GitHub job it is part of: annotations, the step summary, outputs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ckpt_action import __version__
from ckpt_action.errors import Problem
from ckpt_action.manifest import RECORD
from ckpt_action.outcome import ArtifactOutcome, JobOutcome, Run
from ckpt_action.report import figures, summary, text
from ckpt_action.report.annotations import annotation_commands
from ckpt_action.report.workflow_commands import sanitize, write_outputs
from ckpt_action.status import Status, job_status, run_status


def publish(
    run: Run, environ: Mapping[str, str], *, output_dir: Path, summarize: bool = True
) -> None:
    """Print the report and its annotations; write summary and outputs where the job wants them.

    `output_dir` is what the run has left: its manifest and digests become outputs where they
    exist. The output `artifacts` lists, as JSON, only what is of models that are proven as a
    whole. A run that is part of another leaves the summary to that (`summarize`).
    """
    print(sanitize(text.render(run)))
    print_annotations([*run.problems, *(p for job in run.jobs for p in _of_model(job))])
    if summarize:
        _append(environ.get("GITHUB_STEP_SUMMARY"), summary.render(run))
    if path := environ.get("GITHUB_OUTPUT"):
        write_outputs(Path(path), _outputs(run, output_dir, environ))


def publish_failure(
    problems: Sequence[Problem], environ: Mapping[str, str], *, config: str
) -> None:
    """As `publish`, of a verb that ended before its first model, say for a faulty configuration."""
    print_annotations(problems)
    run = Run(tool=__version__, config=config, jobs=(), problems=tuple(problems))
    _append(environ.get("GITHUB_STEP_SUMMARY"), summary.render(run))
    if path := environ.get("GITHUB_OUTPUT"):
        write_outputs(Path(path), {"verdict": Status.FAILED.value})


def _of_model(job: JobOutcome) -> Iterator[Problem]:
    """Its problems; an annotation stands apart from its model, so each names it."""
    for problem in job.all_problems:
        if problem.where and problem.where.key_path:
            yield problem
        else:
            yield replace(problem, message=f"{job.name}: {problem.message}")


def print_annotations(problems: Sequence[Problem]) -> None:
    for line in annotation_commands(problems):
        print(line)


def _append(path: str | None, content: str) -> None:
    if path:
        with Path(path).open("a", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(content)


def _outputs(run: Run, output_dir: Path, environ: Mapping[str, str]) -> dict[str, str]:
    proven = [
        _artifact(job, artifact)
        for job in run.jobs
        if job_status(job) is Status.PROVEN
        for artifact in job.artifacts
    ]
    files = {"manifest": output_dir / "manifest.json", "digests": output_dir / "SHA256SUMS"}
    outputs = {"verdict": run_status(run).value, "artifacts": json.dumps(proven)}
    for name, file in files.items():
        if file.is_file():
            outputs[name] = _in_workspace(file, environ)
    if "manifest" in outputs or (output_dir / RECORD).is_file():
        outputs["output-dir"] = _in_workspace(output_dir, environ)
    return outputs


def _artifact(job: JobOutcome, artifact: ArtifactOutcome) -> dict[str, object]:
    return {
        "model": job.model,
        "step": job.checkpoint.step,
        "target": artifact.name,
        "format": artifact.format,
        "folder": artifact.folder,
        "bytes": artifact.bytes,
        "sha256": figures.artifact_digest(artifact),
    }


def _in_workspace(path: Path, environ: Mapping[str, str]) -> str:
    """Relative to the workspace, where steps start; absolute where it lies elsewhere."""
    resolved = path.resolve()
    workspace = Path(environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    inside = resolved.is_relative_to(workspace)
    return (resolved.relative_to(workspace) if inside else resolved).as_posix()
