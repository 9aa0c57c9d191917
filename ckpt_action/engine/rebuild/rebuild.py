"""Run the user's code, or read the file's own architecture, and get a model with variables."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ckpt_action.engine.creation import Creations
from ckpt_action.engine.keras_versions import keras_version
from ckpt_action.engine.metagraph.module import graph_model
from ckpt_action.engine.objects import variables_among, walk
from ckpt_action.engine.op_libraries import load_op_libraries
from ckpt_action.engine.reads.overwriting import OverwritingError
from ckpt_action.engine.rebuild.architecture import model_from_file
from ckpt_action.engine.rebuild.build import build, is_run
from ckpt_action.engine.rebuild.eager import check_eager, check_variables
from ckpt_action.engine.rebuild.entry_point import make_model
from ckpt_action.engine.rebuild.family import model_family
from ckpt_action.engine.rebuild.fresh import BeforeImport
from ckpt_action.engine.rebuild.lazy_hooks import lazy_variables
from ckpt_action.engine.rebuild.lazy_init import LazyVariables
from ckpt_action.engine.rebuild.leftovers import Leftovers
from ckpt_action.engine.rebuild.signatures import resolve_signatures
from ckpt_action.engine.rebuild.user_modules import extend_path, import_module
from ckpt_action.engine.records import Again, Family, Rebuilt
from ckpt_action.engine.semantics.changes import semantic_changes
from ckpt_action.engine.user_code import loaded_sources
from ckpt_action.errors import CkptActionError, ExitCode, Problem, fail, note, raise_errors
from ckpt_action.plan import Job


def rebuild(job: Job) -> Rebuilt:
    """The model of `job` as its code makes it: built on its signatures, not restored.

    Runs the user's code in this process. Raises CkptActionError: CONFIG, ENVIRONMENT, CHECKPOINT,
    REBUILD or SIGNATURE, each with what to do.
    """
    _check_backend()
    roots = (*job.python_path, job.folder)
    load_op_libraries(job.model.op_libraries)
    extend_path(job.python_path)
    if job.model.entry_point is None and job.checkpoint.kind.names_only:
        for module in job.model.imports:
            import_module(module, roots)
        return _from_meta(job)
    before, creations, leftovers = BeforeImport(roots), Creations(), Leftovers()
    with creations.recorded():
        rebuilt = _lazily(job, roots, before, creations)
    changes = semantic_changes(rebuilt.held, job)
    raise_errors(changes)

    def again() -> Again:
        with before.again(), leftovers.watched(), creations.repeated() as repetition:
            model = _by_code(job, roots, LazyVariables(enabled=rebuilt.lazy))
        return Again(rebuilt=model, began=repetition, leftovers=tuple(leftovers.read))

    return replace(
        rebuilt,
        again=again,
        from_file=job.model.entry_point is None,
        problems=rebuilt.problems + changes,
    )


def _lazily(job: Job, roots: Sequence[Path], before: BeforeImport, creations: Creations) -> Rebuilt:
    """Without initial values where that goes well, else as if it had never been tried."""
    lazy = LazyVariables(enabled=job.model.lazy_init)
    try:
        return _by_code(job, roots, lazy)
    except OverwritingError:
        raise
    except CkptActionError as error:
        if not lazy.put_off:
            raise
        before.undo()
        creations.forget()
        rebuilt = _by_code(job, roots, LazyVariables(enabled=False))
        return replace(rebuilt, problems=(*rebuilt.problems, _not_lazy(error)))


def _by_code(job: Job, roots: Sequence[Path], lazy: LazyVariables) -> Rebuilt:
    with lazy_variables(lazy):
        for module in job.model.imports:
            import_module(module, roots)
        model, family = _make(job)
    held = tuple(walk(model))
    check_variables(held, roots)
    signatures, warnings = resolve_signatures(model, job.model)
    runs = any(is_run(model, signature) for signature in signatures)
    if runs:
        lazy.fill_all()
    callers, written, notes = build(model, signatures, roots, job.model)
    check_eager(roots)
    lazy.check()
    if runs:
        held = tuple(walk(model))
    if not variables_among(held):
        raise _no_variables(model)
    return Rebuilt(
        model=model,
        held=held,
        family=family,
        keras_version=keras_version(family),
        signatures=signatures,
        sources=loaded_sources(roots),
        op_libraries=job.model.op_libraries,
        callers=callers,
        written=written,
        lazy=lazy.enabled,
        fill_kept=lazy.fill_kept,
        problems=warnings + notes,
        slower=(_cannot_wait(lazy.hindrance),) if lazy.hindrance else (),
    )


def _from_meta(job: Job) -> Rebuilt:
    model, signatures, callers, notes = graph_model(job)
    if not model.graph_variables:
        raise fail(
            ExitCode.REBUILD,
            "the declared outputs read no variable of the graph.",
            hint="Name tensors that come after the weights.",
        )
    return Rebuilt(
        model=model,
        held=tuple(walk(model)),
        family="graph",
        keras_version=None,
        signatures=signatures,
        op_libraries=job.model.op_libraries,
        callers=callers,
        problems=notes,
    )


def _make(job: Job) -> tuple[Any, Family]:
    if job.model.entry_point is not None:
        model = make_model(job.model.entry_point, (*job.python_path, job.folder))
    else:
        model = model_from_file(job, environment_keras())
    return model, model_family(model, job.model)


def environment_keras() -> Any:
    """The Keras of this process: what `tf.keras` is."""
    name = "tf_keras" if os.environ.get("TF_USE_LEGACY_KERAS") in ("1", "true", "True") else "keras"
    try:
        keras = importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise fail(
            ExitCode.ENVIRONMENT,
            f"the package {name} is not installed.",
            hint=f"pip install {name.replace('_', '-')}",
        ) from error
    return keras


def _check_backend() -> None:
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend != "tensorflow":
        raise fail(
            ExitCode.ENVIRONMENT,
            f"KERAS_BACKEND is {backend}: Keras would not make its models of TensorFlow variables.",
            hint="Unset KERAS_BACKEND, or set it to tensorflow.",
        )


def _not_lazy(error: CkptActionError) -> Problem:
    return note(
        ExitCode.REBUILD,
        "initial values were drawn although the checkpoint replaces them, for without them "
        f"the code failed: {error.problems[0].message}",
        hint="Set `lazy-init = false` for this model, and it runs once.",
    )


def _cannot_wait(why: str) -> Problem:
    return note(
        ExitCode.ENVIRONMENT,
        f"initial values were drawn although checkpoints replace them, for {why}: that takes time "
        "and, of large models, the memory of all weights once more.",
    )


def _no_variables(model: Any) -> CkptActionError:
    return fail(
        ExitCode.REBUILD,
        f"the {type(model).__name__} that the entry point returned holds no variable, even after "
        "it was called.",
        hint="Keep layers and variables as attributes, or in lists and dicts that are attributes.",
    )
