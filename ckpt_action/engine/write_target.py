"""One target of a job, written by the exporting child."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ckpt_action.config.records import TargetSpec, Verify
from ckpt_action.engine.prove.inputs.golden_rows import weak_golden
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.records import TracedModel, Written
from ckpt_action.engine.targets import registry
from ckpt_action.engine.worker import unexpected_problem
from ckpt_action.errors import CkptActionError, CompleteRefusalError
from ckpt_action.outcome import ArtifactOutcome
from ckpt_action.plan import Job
from ckpt_action.processes.environments import import_problem
from ckpt_action.processes.requests import quantised


def write_target(
    job: Job, target: TargetSpec, model: TracedModel, folder: Path, probes: tuple[Probe, ...]
) -> tuple[ArtifactOutcome, bool]:
    """Write into `folder`, which is made; what keeps it from being written is in the outcome. And
    whether what was printed meanwhile may tell more than that.

    `probes`: the ordinary ones, with the golden rows that quantised weights are judged by.
    """
    outcome = ArtifactOutcome(
        format=target.format, name=target.name, folder=f"{job.name}/{target.name}"
    )
    folder.mkdir(parents=True)
    try:
        written = registry()[target.format].export(model, folder, target.options)
    except CkptActionError as error:
        return replace(outcome, problems=error.problems), not isinstance(
            error, CompleteRefusalError
        )
    except ImportError as error:
        return replace(outcome, problems=(import_problem(error),)), True
    except Exception as error:  # noqa: BLE001 - the other targets go on
        return replace(outcome, problems=(unexpected_problem(error),)), True
    outcome = replace(
        outcome,
        signatures=written.signatures,
        payloads=written.payloads,
        unread=written.unread,
        transformed=written.transformed,
        rearranged=written.rearranged,
        max_error=_max_error(written, job.model.verify),
        weak_golden=weak_golden(probes, written.measured_on) if quantised(target) else "",
        unproven=written.unproven,
        problems=written.notes,
    )
    return outcome, True


def _max_error(written: Written, verify: Verify) -> float | None:
    if written.max_error is not None:
        return written.max_error
    declared = verify.rtol is not None or verify.atol is not None
    return None if declared else written.rounding
