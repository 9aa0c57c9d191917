"""Restore without the rest of the pipeline."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from architectures import inputs

from ckpt_action.checkpoint.identify import identify
from ckpt_action.config.records import Restore
from ckpt_action.engine.keras_versions import keras_family, keras_version
from ckpt_action.engine.objects import walk
from ckpt_action.engine.records import Rebuilt
from ckpt_action.engine.restore import restore
from ckpt_action.errors import CkptActionError

DATA = Path(__file__).resolve().parent / "data"


def rebuilt(model):
    family = keras_family(model) or "module"
    return Rebuilt(
        model=model,
        held=tuple(walk(model)),
        family=family,
        keras_version=keras_version(family),
        signatures=(),
    )


def restored(model, path, **rules):
    """`path`: what a user would name, its kind read from the bytes."""
    return restore(rebuilt(model), identify(Path(path)), Restore(**rules))


def refusal(model, path, **rules):
    """The one problem of a restore that has to fail; the model holds no value of the file."""
    before = [np.asarray(v) for v in model.variables]
    try:
        found = restored(model, path, **rules)
    except CkptActionError as error:
        after = [np.asarray(v) for v in model.variables]
        assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
        (problem,) = error.problems
        return problem
    raise AssertionError(f"accepted: {found.binding}")


def output(model, name):
    return np.asarray(model(inputs(name), training=False))


def fresh():
    """Automatic names start again, as in a process of their own."""
    keras.backend.clear_session()
    tf.random.set_seed(1)
    return keras
