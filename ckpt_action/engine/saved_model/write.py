"""A SavedModel from raw variables and signatures alone, and what is checked of its files.

Which of two writers is taken, and why: `docs/saved-model-writer.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from ckpt_action.checkpoint.bundle import TensorBundle
from ckpt_action.engine.records import TracedModel, Written
from ckpt_action.engine.saved_model.artifact import bundle_of, stored_values
from ckpt_action.engine.saved_model.bindings import check_bindings
from ckpt_action.engine.saved_model.direct import write_directly
from ckpt_action.engine.saved_model.fingerprint import settle_fingerprint
from ckpt_action.engine.saved_model.flat_module import RESOURCES, write_module
from ckpt_action.engine.saved_model.internals import Indirect
from ckpt_action.engine.saved_model.signature_defs import (
    differences,
    read_signatures,
    with_tensors,
)
from ckpt_action.engine.saved_model.tree import Tree, variable_tree
from ckpt_action.errors import CkptActionError, ExitCode, Problem, fail, note


def write_saved_model(model: TracedModel, folder: Path) -> Written:
    """Raises CkptActionError (TARGET) where the model captures what cannot be saved, or where
    the files turn out not to be exactly what was asked for."""
    tree, payloads = variable_tree(model.variables)
    try:
        notes = _write(model, tree, folder)
    except (AssertionError, tf.errors.OpError, ValueError) as error:
        raise _refused(error) from error
    settle_fingerprint(folder)
    bundle = bundle_of(folder)
    _check_values(bundle, payloads)
    if not notes:
        check_bindings(model, folder, bundle, payloads)
    declared, written = [s.record for s in model.signatures], read_signatures(folder)
    if wrong := differences(declared, written):
        raise fail(
            ExitCode.TARGET,
            "The written SavedModel has other signatures than were declared.",
            hint="Declare each input and output as the model's method has it.",
            details=wrong,
        )
    return Written(signatures=with_tensors(declared, written), payloads=payloads, notes=notes)


def _write(model: TracedModel, tree: Tree, folder: Path) -> tuple[Problem, ...]:
    try:
        write_directly(model, tree, folder)
    except Indirect as reason:
        write_module(model, tree, folder)
        return (
            note(
                ExitCode.OK,
                f"`tf.saved_model.save` wrote the SavedModel, because {reason}.",
            ),
        )
    return ()


def _check_values(bundle: TensorBundle, payloads: Mapping[str, str]) -> None:
    """Every variable is in the files once, and nothing but the resources' values beside."""
    found = set(stored_values(bundle))
    extra = {k for k in found - payloads.keys() if not k.startswith(f"{RESOURCES}/")}
    missing = payloads.keys() - found
    if extra or missing:
        raise fail(
            ExitCode.TARGET,
            f"The written SavedModel has {len(extra)} values too many, and {len(missing)} are "
            "missing.",
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
