"""Writes `data/`: run with TensorFlow 2.15, whose Keras is Keras 2."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from architectures import BUILDERS, build, inputs, shake

DATA = Path(__file__).resolve().parent / "data"


def main():
    for name in BUILDERS:
        tf.keras.backend.clear_session()
        model = build(name, tf.keras)
        shake(model)
        folder = DATA / name
        folder.mkdir(parents=True, exist_ok=True)
        optimizer = tf.keras.optimizers.Adam()
        optimizer.build(model.trainable_variables)
        tf.train.Checkpoint(model=model, optimizer=optimizer, step=tf.Variable(3)).save(
            str(folder / "ck")
        )
        model.save_weights(str(folder / "w"))
        model.save_weights(str(folder / "w.weights.h5"))
        model.save_weights(str(folder / "legacy.h5"))
        np.savez(folder / "golden.npz", y=np.asarray(model(inputs(name), training=False)))
    averages()
    names()


def averages():
    tf.keras.backend.clear_session()
    model = build("functional", tf.keras)
    optimizer = tf.keras.optimizers.Adam(use_ema=True, ema_momentum=0.9)
    model.compile(optimizer, "mse")
    for _ in range(3):
        model.train_on_batch(inputs("functional"), np.ones((3, 2), "float32"))
    tf.train.Checkpoint(model=model, optimizer=optimizer).write(str(DATA / "ema" / "ck"))
    optimizer.finalize_variable_values(model.trainable_variables)
    np.savez(DATA / "ema" / "golden.npz", y=np.asarray(model(inputs("functional"), training=False)))


def names():
    """A TF1 checkpoint: names, slots, a global step."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        with tf.compat.v1.variable_scope("net"):
            w = tf.compat.v1.get_variable("w", initializer=tf.constant([[1.0, 2.0], [3.0, 4.0]]))
            b = tf.compat.v1.get_variable("b", initializer=tf.constant([0.5, -0.5]))
        step = tf.compat.v1.train.get_or_create_global_step()
        loss = tf.reduce_sum(tf.matmul([[1.0, 1.0]], w) + b)
        average = tf.train.ExponentialMovingAverage(0.5)
        with tf.control_dependencies(
            [tf.compat.v1.train.AdamOptimizer().minimize(loss, global_step=step)]
        ):
            train = average.apply([w, b])
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(train)
        saver = tf.compat.v1.train.Saver()
        saver.save(session, str(DATA / "tf1" / "model"), write_meta_graph=False, write_state=False)


if __name__ == "__main__":
    main()
