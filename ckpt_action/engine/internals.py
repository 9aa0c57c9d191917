"""What TensorFlow and Keras do not promise to keep, each looked up in one place.

The same in TensorFlow 2.15 to 2.21. Every function says what it gives where a version lacks it.
The freezer has its own, in `freeze/internals.py`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from ckpt_action.errors import CkptActionError, ExitCode, fail

_autograph = getattr(getattr(tf, "__internal__", None), "autograph", None)
_outermost = _autograph.control_status_ctx() if _autograph else None
"""Where this module is imported nothing has decided about AutoGraph, so it converts."""


def converted(function: Any) -> Any:
    """`function` with AutoGraph, in a trace that does without; the function itself where there is
    no such call: code that needs AutoGraph then fails to be traced."""
    return _autograph.tf_convert(function, _outermost) if _autograph else function


def concrete_function_class() -> type | None:
    """What `get_concrete_function` returns; None where it cannot be found."""
    return _found("tensorflow.python.eager.polymorphic_function.concrete_function.ConcreteFunction")


def resource_variable_class() -> type | None:
    """The class that reads the handle of every eager variable; None where it cannot be found."""
    return _found("tensorflow.python.ops.resource_variable_ops.BaseResourceVariable")


def reset_keras_names(keras: Any) -> None:
    """Let `keras` count the names of layers from the start; nothing where it cannot be told to."""
    source = f"{keras.__name__.split('.')[0]}.src"
    reset = _found(f"{source}.utils.naming.reset_uids") or _found(f"{source}.backend.reset_uids")
    if reset is not None:
        reset()


def registries(keras: Any) -> list[dict[Any, Any]]:
    """Where `keras` keeps registered classes; only what is public where the rest is missing."""
    place = f"{keras.__name__.split('.')[0]}.src.saving.object_registration"
    names = [_found(f"{place}.{prefix}GLOBAL_CUSTOM_NAMES") for prefix in ("", "_")]
    return [keras.saving.get_custom_objects(), *(found for found in names if found is not None)]


def hard_sigmoid_module(keras: Any) -> Any | None:
    """The module of `keras` whose `hard_sigmoid` all ways of calling it reach; None where there is
    none, and then only layers that have it as an attribute are seen."""
    source = f"{keras.__name__.split('.')[0]}.src"
    found = _found(f"{source}.backend.tensorflow.nn") or _found(f"{source}.backend")
    return found if hasattr(found, "hard_sigmoid") else None


def automatic_control_dependencies() -> Any:
    """The module whose class of that name `tf.function` uses; raises CkptActionError."""
    module = _found("tensorflow.python.framework.auto_control_deps")
    if not hasattr(module, "AutomaticControlDependencies"):
        raise _missing("AutomaticControlDependencies", "A graph of TensorFlow 1 needs it.")
    return module


@contextmanager
def known_functions(definitions: Iterable[Any]) -> Iterator[None]:
    """Inside, TensorFlow finds these FunctionDefs by their names; raises CkptActionError."""
    make = _found("tensorflow.python.eager.context.context")
    context: Any = make() if make is not None else None
    if not hasattr(context, "add_function_def"):
        raise _missing("add_function_def", "Branches that run are seen by it.")
    added = []
    try:
        for definition in definitions:
            context.add_function_def(definition)
            added.append(definition.signature.name)
        yield
    finally:
        for name in added:
            context.remove_function(name)


def op_definition(op: str) -> Any | None:
    """The registered OpDef of `op`, custom ops included; None where there is none."""
    registry = _found("tensorflow.python.framework.op_def_registry")
    if registry is None:
        raise _missing("op_def_registry", "What an op takes and gives is read from it.")
    return registry.get(op)


def _missing(name: str, why: str) -> CkptActionError:
    return fail(
        ExitCode.ENVIRONMENT,
        f"TensorFlow {tf.__version__} has no {name} where the supported versions have it. {why}",
        hint='Install a supported version: pip install "ckpt-action[tensorflow]"',
    )


def _found(path: str) -> Any | None:
    """The object at `path`, a module or part of one; None where it does not exist."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None
