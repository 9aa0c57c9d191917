"""`tf.train.Checkpoint` and Keras 2's `save_weights`, without optimizers."""

from __future__ import annotations

import tensorflow as tf
import zoo_models as models

from savers.registry import CannotSaveError, Saved, Subject, saver


def partner(subject: Subject):
    """A second network, filled with other values."""
    layers = subject.keras.layers
    other = subject.keras.Sequential(
        [layers.Input((3,)), layers.Dense(4, activation="relu"), layers.Dense(1)]
    )
    models.fill(other, seed=11)
    return other


def twin(subject: Subject):
    """The same architecture with other values, as a target network is."""
    other = models.build(subject.architecture)
    models.fill(other, seed=12)
    return other


@saver(kerases=(2,), wide=True)
def save_weights(subject: Subject) -> Saved:
    subject.model.save_weights(str(subject.folder / "weights"))
    return Saved("weights")


@saver(kerases=(2,))
def model_checkpoint(subject: Subject) -> Saved:
    """Keras' callback after three epochs, the last of which is the golden one."""
    callback = subject.keras.callbacks.ModelCheckpoint(
        str(subject.folder / "cp-{epoch:04d}.ckpt"), save_weights_only=True
    )
    _three_epochs(subject, callback)
    return Saved("cp-0003.ckpt")


@saver()
def model_checkpoint_h5(subject: Subject) -> Saved:
    callback = subject.keras.callbacks.ModelCheckpoint(
        str(subject.folder / "cp-{epoch:02d}.weights.h5"), save_weights_only=True
    )
    _three_epochs(subject, callback)
    return Saved("cp-03.weights.h5")


def _three_epochs(subject: Subject, callback) -> None:
    callback.set_model(subject.model)
    golden = models.values_of(subject.model)
    for epoch in range(3):
        if epoch < 2:
            models.fill(subject.model, seed=epoch)
        else:
            models.assign(subject.model, golden)
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {})


@saver(modules=True, wide=True)
def checkpoint_root(subject: Subject) -> Saved:
    tf.train.Checkpoint(subject.model).save(str(subject.folder / "ckpt"))
    return Saved("ckpt-1")


@saver(modules=True, wide=True)
def checkpoint_model(subject: Subject) -> Saved:
    tf.train.Checkpoint(model=subject.model).save(str(subject.folder / "ckpt"))
    return Saved("ckpt-1", root="model")


@saver(modules=True)
def checkpoint_write(subject: Subject) -> Saved:
    """`write` keeps no counter and no state file; the name has a dot and a space."""
    tf.train.Checkpoint(net=subject.model).write(str(subject.folder / "best model.v1"))
    return Saved("best model.v1", root="net")


@saver(modules=True)
def checkpoint_counters(subject: Subject) -> Saved:
    """Step, epoch and a learning rate beside the model."""
    checkpoint = tf.train.Checkpoint(
        epoch=tf.Variable(4, dtype=tf.int64),
        step=tf.Variable(1),
        lr=tf.Variable(0.1),
        net=subject.model,
    )
    checkpoint.save(str(subject.folder / "ckpt"))
    return Saved("ckpt-1", root="net")


@saver(modules=True)
def root_found(subject: Subject) -> Saved:
    """One part under a name that is not declared."""
    tf.train.Checkpoint(my_network=subject.model).save(str(subject.folder / "ckpt"))
    return Saved("ckpt-1")


@saver(modules=True)
def manager(subject: Subject) -> Saved:
    """A directory with a state file; ckpt-1 was deleted, ckpt-2 holds other values."""
    checkpoint = tf.train.Checkpoint(step=tf.Variable(0), net=subject.model)
    keeper = tf.train.CheckpointManager(checkpoint, str(subject.folder / "tf_ckpts"), max_to_keep=2)
    golden = models.values_of(subject.model)
    for step in range(3):
        if step < 2:
            models.fill(subject.model, seed=step)
        else:
            models.assign(subject.model, golden)
        checkpoint.step.assign(step)
        keeper.save()
    return Saved("tf_ckpts", root="net")


@saver()
def several_parts(subject: Subject) -> Saved:
    checkpoint = tf.train.Checkpoint(generator=subject.model, discriminator=partner(subject))
    checkpoint.save(str(subject.folder / "ckpt"))
    return Saved("ckpt-1", root="generator")


@saver(modules=True)
def target_network(subject: Subject) -> Saved:
    """Two networks of the same form: only the declared root tells them apart."""
    checkpoint = tf.train.Checkpoint(q_target=twin(subject), q_net=subject.model)
    checkpoint.save(str(subject.folder / "ckpt"))
    return Saved("ckpt-1", root="q_net")


@saver(modules=True)
def target_network_undeclared(subject: Subject) -> Saved:
    tf.train.Checkpoint(q_target=twin(subject), q_net=subject.model).save(
        str(subject.folder / "ckpt")
    )
    return Saved("ckpt-1", refuse="two parts fit the model and no root is declared")


@saver(modules=True)
def wrong_root(subject: Subject) -> Saved:
    tf.train.Checkpoint(net=subject.model).save(str(subject.folder / "ckpt"))
    return Saved("ckpt-1", root="decoder", refuse="the declared root is not in the checkpoint")


@saver(modules=True)
def counters_only(subject: Subject) -> Saved:
    """A checkpoint of nothing: the model was forgotten."""
    tf.train.Checkpoint(step=tf.Variable(3)).save(str(subject.folder / "ckpt"))
    return Saved("ckpt-1", refuse="the checkpoint holds no variable of the model")


@saver(modules=True)
def sharded(subject: Subject) -> Saved:
    """Several data files."""
    if not hasattr(tf.train.experimental, "MaxShardSizePolicy"):
        raise CannotSaveError("this TensorFlow cannot be told to shard")
    policy = tf.train.experimental.MaxShardSizePolicy(max_shard_size=128)
    options = tf.train.CheckpointOptions(experimental_sharding_callback=policy)
    checkpoint = tf.train.Checkpoint(model=subject.model)
    checkpoint.save(str(subject.folder / "ckpt"), options=options)
    return Saved("ckpt-1", root="model")
