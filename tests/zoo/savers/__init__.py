"""Every way of saving a model, one file per family."""

from savers import checkpoints, distributed, keras_files, optimizers, saved_models
from savers.registry import SAVERS, SPECIAL, CannotSaveError, Saved, Saver, Subject, applies

__all__ = [
    "SAVERS",
    "SPECIAL",
    "CannotSaveError",
    "Saved",
    "Saver",
    "Subject",
    "applies",
    "checkpoints",
    "distributed",
    "keras_files",
    "optimizers",
    "saved_models",
]
