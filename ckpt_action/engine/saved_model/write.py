"""A SavedModel from raw variables and signatures alone.

The saved object is a bare `tf.Module`: no Keras object is reachable from it, so that every value
is written once and the loaders of sessions, C++ and converters find all of them. Why it is not
written protocol buffer by protocol buffer: `docs/saved-model-writer.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from ckpt_action.engine.records import ModelVariable, TracedModel, Written
from ckpt_action.engine.saved_model.artifact import stored_values
from ckpt_action.engine.saved_model.fingerprint import settle_fingerprint
from ckpt_action.engine.saved_model.signature_defs import (
    differences,
    read_signatures,
    with_tensors,
)
from ckpt_action.errors import CkptActionError, ExitCode, fail

_ROOT = "model"
_RESOURCES = "resources"
_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"

Tree = dict[str, Any]
"""Part of a path to the variable there, or to the tree below it."""


def write_saved_model(model: TracedModel, folder: Path) -> Written:
    """Raises CkptActionError (TARGET) where the model captures what cannot be saved, or where
    the files turn out not to be exactly what was asked for."""
    tree, payloads = variable_tree(model.variables)
    module = tf.Module()
    setattr(module, _ROOT, tree)
    setattr(module, _RESOURCES, list(model.resources))
    try:
        tf.saved_model.save(
            module,
            str(folder),
            signatures={s.declared.name: s.function for s in model.signatures},
            options=tf.saved_model.SaveOptions(experimental_custom_gradients=False),
        )
    except (AssertionError, tf.errors.OpError, ValueError) as error:
        raise _refused(error) from error
    settle_fingerprint(folder)
    _check_values(folder, payloads)
    declared, written = [s.record for s in model.signatures], read_signatures(folder)
    if wrong := differences(declared, written):
        raise fail(
            ExitCode.TARGET,
            "TensorFlow wrote other signatures into the SavedModel than were declared.",
            hint="Declare each input and output as the model's method has it.",
            details=wrong,
        )
    return Written(signatures=with_tensors(declared, written), payloads=payloads)


def variable_tree(variables: Iterable[ModelVariable]) -> tuple[Tree, dict[str, str]]:
    """The variables nested by the parts of their paths, and checkpoint key to path.

    The keys of the written checkpoint are the paths. A path that another variable has too, or
    that is the beginning of another, gets `_` behind its last part.
    """
    tree: Tree = {}
    keys: dict[str, str] = {}
    for variable in sorted(variables, key=lambda v: v.path.count("/"), reverse=True):
        *parents, leaf = (part or "_" for part in variable.path.split("/"))
        level = tree
        for part in parents:
            level = level.setdefault(part, {})
        while leaf in level:
            leaf += "_"
        level[leaf] = variable.variable
        names = [_ROOT, *(part.replace(".", "..") for part in (*parents, leaf))]
        keys["/".join(names) + _SUFFIX] = variable.path
    return tree, dict(sorted(keys.items()))


def _check_values(folder: Path, payloads: Mapping[str, str]) -> None:
    """Every variable is in the files once, and nothing but the resources' values beside."""
    found = set(stored_values(folder))
    extra = {k for k in found - payloads.keys() if not k.startswith(f"{_RESOURCES}/")}
    missing = payloads.keys() - found
    if extra or missing:
        raise fail(
            ExitCode.TARGET,
            f"TensorFlow wrote {len(extra)} values too many into the SavedModel and left out "
            f"{len(missing)}.",
            hint="Please report this, with the model.",
            details=[*(f"extra: {k}" for k in sorted(extra)), *(f"missing: {k}" for k in missing)],
        )


def _refused(error: Exception) -> CkptActionError:
    text = str(error)
    if "untracked" in text:
        return fail(
            ExitCode.TARGET,
            "This model cannot be saved: a signature uses a variable, table or other resource "
            "that was not found in the model.",
            hint="Keep it as an attribute of the model (or of a layer or module in it).",
            details=text.splitlines(),
        )
    return fail(
        ExitCode.TARGET,
        f"TensorFlow cannot save this model: {text.splitlines()[0] if text else repr(error)}",
        details=text.splitlines(),
    )
