"""A SavedModel by `tf.saved_model.save` of a bare `tf.Module`: what is not written directly.

No Keras object is reachable from the module, so that every value is written once and the loaders
of sessions, C++ and converters find all of them.
"""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from ckpt_action.engine.records import TracedModel
from ckpt_action.engine.saved_model.apart import set_file_apart
from ckpt_action.engine.saved_model.tree import ROOT, Tree

RESOURCES = "resources"
"""The attribute that holds tables and assets."""


def write_module(model: TracedModel, tree: Tree, folder: Path) -> None:
    """Raises AssertionError where a signature captures a resource that `model` does not name."""
    module = tf.Module()
    setattr(module, ROOT, tree)
    setattr(module, RESOURCES, list(model.resources))
    tf.saved_model.save(
        module,
        str(folder),
        signatures={s.declared.name: s.function for s in model.signatures},
        options=tf.saved_model.SaveOptions(experimental_custom_gradients=False),
    )
    set_file_apart(folder)
