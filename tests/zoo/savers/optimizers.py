"""Checkpoints that hold an optimizer of one generation or another."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import zoo_models as models

from savers.checkpoints import partner
from savers.registry import CannotSaveError, Saved, Subject, saver


def train(model, optimizer, subject: Subject | None = None) -> None:
    """One step, so that every slot exists and is filled; the weights stay as they were."""
    golden = models.values_of(model)
    variables = [v for v in model.trainable_variables if tf.as_dtype(v.dtype).is_floating]
    with tf.GradientTape() as tape:
        loss = tf.add_n([tf.reduce_sum(tf.cast(v, tf.float32) ** 2) for v in variables])
    gradients = tape.gradient(
        loss, [getattr(v, "value", v) if _keras_3(v) else v for v in variables]
    )
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    models.assign(model, golden)


def _keras_3(variable) -> bool:
    return isinstance(getattr(variable, "value", None), tf.Variable)


def _save(subject: Subject, optimizer) -> Saved:
    train(subject.model, optimizer)
    checkpoint = tf.train.Checkpoint(step=tf.Variable(1), optimizer=optimizer, net=subject.model)
    checkpoint.save(str(subject.folder / "ckpt"))
    return Saved("ckpt-1", root="net")


@saver(wide=True)
def with_optimizer(subject: Subject) -> Saved:
    """The optimizer of this Keras' own generation."""
    return _save(subject, subject.keras.optimizers.Adam())


@saver()
def with_sgd_momentum(subject: Subject) -> Saved:
    return _save(subject, subject.keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True))


@saver(kerases=(2,))
def with_legacy_optimizer(subject: Subject) -> Saved:
    return _save(subject, subject.keras.optimizers.legacy.Adam())


@saver(modules=True, kerases=(2,))
def with_v1_optimizer(subject: Subject) -> Saved:
    return _save(subject, tf.compat.v1.train.AdamOptimizer())


@saver(kerases=(2,))
def with_loss_scale(subject: Subject) -> Saved:
    keras = subject.keras
    return _save(subject, keras.mixed_precision.LossScaleOptimizer(keras.optimizers.Adam()))


@saver()
def gan(subject: Subject) -> Saved:
    """Two networks and their two optimizers, the DCGAN tutorial."""
    optimizers = [subject.keras.optimizers.Adam(1e-4) for _ in range(2)]
    other = partner(subject)
    for model, optimizer in zip((subject.model, other), optimizers, strict=True):
        train(model, optimizer)
    checkpoint = tf.train.Checkpoint(
        generator_optimizer=optimizers[0],
        discriminator_optimizer=optimizers[1],
        generator=subject.model,
        discriminator=other,
    )
    checkpoint.save(str(subject.folder / "ckpt"))
    return Saved("ckpt-1", root="generator")


@saver(kerases=(2,))
def compiled_save_weights(subject: Subject) -> Saved:
    """`save_weights` of a compiled model writes its optimizer too."""
    subject.model.compile(optimizer="adam", loss="mse")
    train(subject.model, subject.model.optimizer)
    subject.model.save_weights(str(subject.folder / "weights"))
    return Saved("weights")


@saver()
def averaged(subject: Subject) -> Saved:
    """Moving averages kept by the optimizer; they are what is asked for."""
    return _averaged(subject, "ema")


@saver()
def averaged_but_raw(subject: Subject) -> Saved:
    """Moving averages kept by the optimizer; the raw weights are asked for."""
    return _averaged(subject, "raw")


def _averaged(subject: Subject, weights: str) -> Saved:
    optimizer = subject.keras.optimizers.Adam(use_ema=True, ema_momentum=0.9)
    train(subject.model, optimizer)
    averages = optimizer._model_variables_moving_average
    if not averages:
        raise CannotSaveError("this optimizer keeps no averages")
    rng = np.random.default_rng(21)
    golden = models.values_of(subject.model)
    trained = [v for v in subject.model.trainable_variables if tf.as_dtype(v.dtype).is_floating]
    for average, variable in zip(averages, trained, strict=True):
        average.assign(tf.cast(rng.normal(0.0, 0.6, tuple(variable.shape)), average.dtype))
    tf.train.Checkpoint(optimizer=optimizer, net=subject.model).save(str(subject.folder / "ckpt"))
    if weights == "ema":
        for average, variable in zip(averages, trained, strict=True):
            variable.assign(tf.convert_to_tensor(average))
        models.write_golden(subject.architecture, subject.model, subject.folder)
        models.assign(subject.model, golden)
    return Saved("ckpt-1", root="net", weights=weights)
