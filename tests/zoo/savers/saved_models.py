"""SavedModel directories as checkpoints: their `variables/` is an object-based checkpoint."""

from __future__ import annotations

import tensorflow as tf

from savers.registry import CannotSaveError, Saved, Subject, saver


@saver(kerases=(2,))
def keras_saved_model(subject: Subject) -> Saved:
    subject.model.save(str(subject.folder / "model"), save_format="tf")
    return Saved("model")


@saver(modules=True)
def saved_model(subject: Subject) -> Saved:
    tf.saved_model.save(subject.model, str(subject.folder / "model"))
    return Saved("model")


@saver()
def exported(subject: Subject) -> Saved:
    if not hasattr(subject.model, "export"):
        raise CannotSaveError("this Keras has no export")
    subject.model.export(str(subject.folder / "model"))
    return Saved("model")
