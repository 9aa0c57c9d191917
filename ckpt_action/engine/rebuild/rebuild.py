"""Run the user's code, or read the file's own architecture, and get a model with variables."""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Coroutine, Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from ckpt_action.engine.kerases import keras_family, keras_version
from ckpt_action.engine.metagraph.module import graph_model
from ckpt_action.engine.objects import reachable_variables
from ckpt_action.engine.op_libraries import load_op_libraries
from ckpt_action.engine.rebuild.architecture import model_from_file
from ckpt_action.engine.rebuild.build import build, is_run
from ckpt_action.engine.rebuild.creation import Creations, Repetition
from ckpt_action.engine.rebuild.eager import check_eager, check_variables
from ckpt_action.engine.rebuild.entry_point import make_model
from ckpt_action.engine.rebuild.fresh import BeforeImport
from ckpt_action.engine.rebuild.lazy_hooks import lazy_variables
from ckpt_action.engine.rebuild.lazy_init import LazyVariables
from ckpt_action.engine.rebuild.signatures import resolve_signatures
from ckpt_action.engine.rebuild.user_code import loaded_sources
from ckpt_action.engine.rebuild.user_modules import extend_path, import_module
from ckpt_action.engine.records import Family, Rebuilt
from ckpt_action.engine.trace.semantics import semantic_changes
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Severity, fail
from ckpt_action.plan import Job

_NO_MODELS = (
    Coroutine,
    Generator,
    tf.Tensor,
    tf.Variable,
    tf.train.Checkpoint,
    tf.train.CheckpointManager,
)


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
    before, creations = BeforeImport(roots), Creations()
    with creations.recorded():
        rebuilt = _lazily(job, roots, before, creations)
    changes = semantic_changes(rebuilt.model, job)
    if any(problem.severity is Severity.ERROR for problem in changes):
        raise CkptActionError(*changes)

    def again() -> tuple[Rebuilt, Repetition]:
        with before.again(), creations.repeated() as repetition:
            return _by_code(job, roots, LazyVariables(enabled=rebuilt.lazy)), repetition

    return replace(rebuilt, again=again, problems=rebuilt.problems + changes)


def _lazily(job: Job, roots: Sequence[Path], before: BeforeImport, creations: Creations) -> Rebuilt:
    """Without initial values where that goes well, else as if it had never been tried."""
    lazy = LazyVariables(enabled=job.model.lazy_init)
    try:
        return _by_code(job, roots, lazy)
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
    check_variables(model, roots)
    signatures, warnings = resolve_signatures(model, job.model.signatures, job.model.name)
    if any(is_run(model, signature) for signature in signatures):
        lazy.fill_all()
    callers = build(model, signatures, roots)
    check_eager(roots)
    lazy.check()
    if not reachable_variables(model):
        raise _no_variables(model)
    return Rebuilt(
        model=model,
        family=family,
        keras_version=keras_version(family),
        signatures=signatures,
        sources=loaded_sources(roots),
        op_libraries=job.model.op_libraries,
        callers=callers,
        lazy=lazy.enabled,
        fill_kept=lazy.fill_kept,
        problems=warnings,
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
    return model, _family(model, job)


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


def _family(model: Any, job: Job) -> Family:
    """What `model` is; raises CkptActionError (REBUILD) where it is no model."""
    family = keras_family(model)
    if family is not None:
        return family
    if not isinstance(model, tf.Module) and (not_a_model := _why_not(model)):
        if isinstance(model, Coroutine):
            model.close()  # Python would warn that nobody awaited it
        raise fail(
            ExitCode.REBUILD,
            f"entry point {job.model.entry_point} returned {not_a_model}, not a model.",
            hint=_advice(model),
        )
    return "module"


def _why_not(found: object) -> str:
    """What `found` is, where it surely is no model; empty where it may be one."""
    kind = type(found).__name__
    if found is None:
        return "None"
    if inspect.isclass(found):
        return f"the class {found.__name__}"
    if isinstance(found, (tuple, list, dict, set)):
        items = found.values() if isinstance(found, dict) else found
        return f"a {kind} of {', '.join(type(item).__name__ for item in items) or 'nothing'}"
    if isinstance(found, _NO_MODELS) or "KerasTensor" in kind:
        return f"a {kind}"
    may_be_one = callable(found) or hasattr(found, "__dict__")
    return "" if may_be_one else f"{found!r:.60} (of type {kind})"


def _advice(found: object) -> str:
    if found is None:
        return "Add the missing `return model`."
    if inspect.isclass(found):
        return f"Return an instance: `{found.__name__}(…)`."
    if isinstance(found, (tuple, list, dict, set)):
        return "Write a function that returns the model alone."
    if "KerasTensor" in type(found).__name__:
        return "Return `keras.Model(inputs, outputs)`."
    return "Return a Keras model, a tf.Module or a callable that holds its variables."


def _not_lazy(error: CkptActionError) -> Problem:
    return Problem(
        code=ExitCode.REBUILD,
        severity=Severity.NOTE,
        message="initial values were drawn although the checkpoint replaces them, for without them "
        f"the code failed: {error.problems[0].message}",
        hint="Set `lazy-init = false` for this model, and it runs once.",
    )


def _no_variables(model: Any) -> CkptActionError:
    return fail(
        ExitCode.REBUILD,
        f"the {type(model).__name__} that the entry point returned holds no variable, even after "
        "it was called.",
        hint="Keep layers and variables as attributes, or in lists and dicts that are attributes.",
    )
