"""What an entry point returned: a model of which Keras, another model, or none."""

from __future__ import annotations

import inspect
from collections.abc import Coroutine, Generator
from typing import Any

import tensorflow as tf

from ckpt_action.config.records import Model
from ckpt_action.engine.keras_versions import keras_family
from ckpt_action.engine.records import Family
from ckpt_action.errors import CkptActionError, ExitCode, fail

_NO_MODELS = (
    Coroutine,
    Generator,
    tf.Tensor,
    tf.Variable,
    tf.train.Checkpoint,
    tf.train.CheckpointManager,
)


def model_family(model: Any, declared: Model) -> Family:
    """What `model` is; raises CkptActionError (REBUILD) where it is no model, or one of another
    Keras than the declared one."""
    family = keras_family(model)
    if family is not None:
        if declared.keras not in ("auto", family.removeprefix("keras-")):
            raise _other_keras(declared)
        return family
    if not isinstance(model, tf.Module) and (not_a_model := _why_not(model)):
        if isinstance(model, Coroutine):
            model.close()  # Python would warn that nobody awaited it
        raise fail(
            ExitCode.REBUILD,
            f"entry point {declared.entry_point} returned {not_a_model}, not a model.",
            hint=_advice(model),
        )
    return "module"


def _other_keras(declared: Model) -> CkptActionError:
    """Nothing of it would be what was asked for: layers of another Keras compute other things."""
    asked, other = declared.keras, "2" if declared.keras == "3" else "3"
    if asked == "2":
        advice = "`import keras` is always Keras 3: write `tf.keras` or `import tf_keras`."
    else:
        advice = "`import tf_keras` is always Keras 2: write `tf.keras` or `import keras`."
    return fail(
        ExitCode.REBUILD,
        f'`keras = "{asked}"` is declared, and the entry point {declared.entry_point} returned a '
        f"model of Keras {other}.",
        hint=advice,
    )


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
