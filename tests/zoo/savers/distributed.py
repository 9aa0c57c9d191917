"""Models trained under a MirroredStrategy, on one CPU and on two logical ones."""

from __future__ import annotations

import tensorflow as tf
import zoo_models as models

from savers.registry import CannotSaveError, Saved, Subject, saver


def _mirrored(subject: Subject, devices: list[str]):
    strategy = tf.distribute.MirroredStrategy(devices)
    with strategy.scope():
        model = models.build(subject.architecture)
    replicated, plain = models.variables_of(model), models.values_of(subject.model)
    if len(replicated) != len(plain):
        raise CannotSaveError("the replicated model lists its variables differently")
    with strategy.scope():
        for variable, value in zip(replicated, plain, strict=True):
            variable.assign(value)
    return model


@saver(modules=True)
def mirrored_one(subject: Subject) -> Saved:
    model = _mirrored(subject, ["CPU:0"])
    tf.train.Checkpoint(model=model).save(str(subject.folder / "ckpt"))
    return Saved("ckpt-1", root="model")


@saver(modules=True)
def mirrored_two(subject: Subject) -> Saved:
    model = _mirrored(subject, ["CPU:0", "CPU:1"])
    tf.train.Checkpoint(model=model).save(str(subject.folder / "ckpt"))
    return Saved("ckpt-1", root="model")


@saver(kerases=(2,))
def mirrored_save_weights(subject: Subject) -> Saved:
    model = _mirrored(subject, ["CPU:0", "CPU:1"])
    model.save_weights(str(subject.folder / "weights"))
    return Saved("weights")
