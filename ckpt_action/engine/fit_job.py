"""The child that lays a model over a checkpoint and writes nothing: `inspect --against`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ckpt_action.codec import from_data
from ckpt_action.engine.reads.overwriting import DeclaredFiles
from ckpt_action.engine.rebuild.rebuild import rebuild
from ckpt_action.engine.restore import restore
from ckpt_action.engine.worker import enter_stage
from ckpt_action.processes.requests import FitRequest, FitResult


def run(arguments: Mapping[str, Any], work: Path) -> FitResult:
    """Rebuild and restore as an export does; raises CkptActionError with what an export would."""
    job = from_data(FitRequest, arguments).job
    os.chdir(job.folder)
    declared = DeclaredFiles(job)
    declared.guard()
    enter_stage(work, "rebuilding the model")
    rebuilt = rebuild(job)
    enter_stage(work, "restoring the checkpoint")
    restored = restore(rebuilt, job.checkpoint, job.model.restore, job.model.signatures)
    declared.check()
    return FitResult(binding=restored.binding, problems=rebuilt.problems + restored.problems)
