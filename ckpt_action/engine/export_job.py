"""The exporting child: the user's code runs here, and nowhere else."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.codec import from_data
from ckpt_action.engine.arrays import digest, shared_array
from ckpt_action.engine.layers.same_layers import same_layers
from ckpt_action.engine.prove.inputs.probe_file import save_probes
from ckpt_action.engine.prove.model.edges import edge_probes
from ckpt_action.engine.prove.model.reference import make_reference
from ckpt_action.engine.prove.model.scaled import scaled_probes
from ckpt_action.engine.reads.dependencies import Dependencies
from ckpt_action.engine.reads.overwriting import DeclaredFiles
from ckpt_action.engine.rebuild.fresh import seed_generators
from ckpt_action.engine.rebuild.rebuild import rebuild
from ckpt_action.engine.records import ModelVariable
from ckpt_action.engine.restore import restore
from ckpt_action.engine.semantics.calls import hard_sigmoid_calls
from ckpt_action.engine.semantics.changes import called_changes
from ckpt_action.engine.semantics.masks import masked_calls
from ckpt_action.engine.trace.free_time import no_wrong_steps
from ckpt_action.engine.trace.half_precision import half_precision
from ckpt_action.engine.trace.trace import trace
from ckpt_action.engine.trace.training_attributes import left_in_training
from ckpt_action.engine.trace.turned import in_another_order
from ckpt_action.engine.trace.twin import make_twin
from ckpt_action.engine.worker import enter_stage, printed_bytes
from ckpt_action.engine.write_target import write_target
from ckpt_action.errors import ExitCode, Problem, note, warning
from ckpt_action.manifest import HIDDEN
from ckpt_action.outcome import ArtifactOutcome, FileRecord, VariableRecord
from ckpt_action.processes.requests import ExportRequest, ExportResult, quantised, writing

_SUPPORTED = ((2, 15), (2, 21))


def run(arguments: Mapping[str, Any], work: Path) -> ExportResult:
    """Rebuild, restore, trace, prove the live model, write every target.

    Raises CkptActionError for what stops the whole job. What stops one target only is among that
    artifact's problems. Nothing is written of a model that failed its own proofs.
    """
    request = from_data(ExportRequest, arguments)
    job = request.job
    os.chdir(job.folder)
    declared = DeclaredFiles(job)
    declared.guard()  # before anybody listens: the caller next to a listener is who asks
    dependencies = Dependencies(job, apart=(_run_folder(work), request.artifacts, *declared.paths))
    enter_stage(work, "rebuilding the model")
    seed_generators()
    rebuilt = rebuild(job)
    enter_stage(work, "restoring the checkpoint")
    restored = restore(rebuilt, job.checkpoint, job.model.restore, job.model.signatures)
    proofs, differences = same_layers(restored, job)
    enter_stage(work, "rebuilding the model from its restored values")
    twin = make_twin(restored, job.checkpoint)
    enter_stage(work, "tracing the signatures")
    roots = (*job.python_path, job.folder)
    with no_wrong_steps(), hard_sigmoid_calls(roots) as calls, masked_calls(roots) as masked:
        traced = trace(restored, job.model.name, twin)
        traced = in_another_order(traced, restored, job.checkpoint)
    changes = called_changes(calls, masked, job)
    changes += left_in_training(restored.rebuilt, traced, job)
    variables = _variable_records(restored.variables)
    enter_stage(work, "running the rebuilt model")
    reference = make_reference(traced, job.model.verify)
    artifacts: list[ArtifactOutcome] = []
    printed: dict[str, tuple[int, int]] = {}
    if not _failed(reference.problems):
        probes = reference.probes + edge_probes(traced, reference.probes, job.model.verify.seed)
        if any(map(quantised, job.model.targets)):
            probes += scaled_probes(traced, reference.probes)
        save_probes(request.probes, probes)
        for target in job.model.targets:
            enter_stage(work, writing(target.name))
            begun = printed_bytes(work)
            folder = request.artifacts / target.name
            outcome, more = write_target(job, target, traced, folder, reference.probes)
            artifacts.append(outcome)
            printed[target.name] = begun, printed_bytes(work) if more else begun
    enter_stage(work, "looking at what was read")
    read = dependencies.read()
    sources = tuple(_source(path, job.folder) for path in read.files)
    dependencies.refuse_changed()
    declared.check()
    return ExportResult(
        binding=restored.binding,
        variables=variables,
        captured=tuple(variable.path for variable in traced.variables),
        signatures=tuple(signature.record for signature in traced.signatures),
        proofs=reference.proofs + proofs,
        verdicts=reference.verdicts,
        artifacts=tuple(artifacts),
        printed=printed,
        sources=sources,
        absent=read.absent,
        lookups=read.lookups,
        unrecorded=read.unrecorded,
        versions=_versions(),
        half=half_precision(traced),
        problems=_version_problems()
        + rebuilt.problems
        + restored.problems
        + differences
        + traced.problems
        + changes
        + reference.problems
        + _variables_note(read.variables),
        slower=rebuilt.slower,
    )


def _run_folder(work: Path) -> Path:
    """The folder of the whole run around `work`: packages look at every folder that modules may
    come from, and this process started in one of the run's own."""
    return next((folder for folder in work.parents if folder.name == HIDDEN), work)


def _variable_records(variables: tuple[ModelVariable, ...]) -> tuple[VariableRecord, ...]:
    """Digests are computed in threads, for hashing lets go of the interpreter's lock.

    TensorFlow is called in this thread alone: each thread that calls it counts in the names that
    it gives to functions, and how many threads a pool starts is a matter of chance.
    """
    arrays = [shared_array(variable.variable.read_value()) for variable in variables]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        digests = pool.map(digest, arrays)
        return tuple(
            VariableRecord(
                path=variable.path,
                dtype=variable.variable.dtype.name,
                shape=array.shape,
                sha256=found,
                source=variable.source,
            )
            for variable, array, found in zip(variables, arrays, digests, strict=True)
        )


def _source(path: Path, folder: Path) -> FileRecord:
    data = path.read_bytes()
    relative = Path(os.path.relpath(path, folder)).as_posix()
    return FileRecord(path=relative, bytes=len(data), sha256=sha256(data).hexdigest())


def _versions() -> dict[str, str]:
    """Of what decides the bytes and the values of an artifact."""
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}".lower(),
    }


def _version_problems() -> tuple[Problem, ...]:
    version = tuple(map(int, tf.__version__.split(".")[:2]))
    if _SUPPORTED[0] <= version <= _SUPPORTED[1]:
        return ()
    oldest, newest = (".".join(map(str, end)) for end in _SUPPORTED)
    return (
        warning(
            ExitCode.ENVIRONMENT,
            f"TensorFlow {tf.__version__} is outside of the range that ckpt-action is "
            f"tested with, {oldest} to {newest}.",
            hint='Install one that is: pip install "ckpt-action[tensorflow]"',
        ),
    )


def _variables_note(variables: Mapping[str, bool]) -> tuple[Problem, ...]:
    """Without the values, which may be secrets."""
    if not variables:
        return ()
    names = (f"{name}{'' if is_set else ' (not set)'}" for name, is_set in variables.items())
    return (
        note(
            ExitCode.REBUILD,
            f"the code asks the environment for {', '.join(names)}: the model may depend on it.",
            hint="Set it as in training, or decide by `arguments` of the entry point.",
        ),
    )


def _failed(problems: tuple[Problem, ...]) -> bool:
    return any(problem.is_error for problem in problems)
