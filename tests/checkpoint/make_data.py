"""Writes the small checkpoints of `data/`: run it with TF 2.15 and with TF 2.21.

    python tests/checkpoint/make_data.py

Each part needs one of the two, and is left alone by the other.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

DATA = Path(__file__).parent / "data"
L = tf.keras.layers


def keras_2_manager(folder: Path) -> None:
    """A CheckpointManager's folder: a subclassed Keras 2 model, an old optimizer named train_op."""

    class Model(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = [L.Dense(3), L.Dense(2)]
            self.loss_tracker = tf.keras.metrics.Mean()

        def call(self, inputs):
            for block in self.blocks:
                inputs = block(inputs)
            return inputs

    model, optimizer = Model(), tf.keras.optimizers.legacy.Adam()
    model(np.zeros((1, 4), np.float32))
    model.loss_tracker.update_state(1.0)
    optimizer.apply_gradients([(tf.ones_like(v), v) for v in model.trainable_variables])
    checkpoint = tf.train.Checkpoint(model=model, train_op=optimizer, epoch=tf.Variable(0))
    manager = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=3)
    for _ in range(11):
        manager.save()


def keras_3_lists(folder: Path) -> None:
    """Keras 3 with weights that only the optimizer's list holds: layers in a Python list."""

    class Model(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.tokenizer = L.Dense(3)
            self.blocks = [L.Dense(2)]

        def call(self, inputs):
            return self.blocks[0](self.tokenizer(inputs))

    model = Model()
    model.compile(tf.keras.optimizers.Adam(use_ema=True), "mse")
    model.fit(np.zeros((2, 4), np.float32), np.zeros((2, 2), np.float32), verbose=0)
    tf.train.Checkpoint(model=model, optimizer=model.optimizer).save(folder / "ckpt")


def module(folder: Path) -> None:
    """Every kind of value: tables, random states, an iterator, dtypes, lists and dicts."""
    saved = tf.Module()
    saved.w = tf.Variable(np.arange(6, dtype=np.float32).reshape(2, 3))
    saved.parts = [tf.Variable(1.5), {"a": tf.Variable([1, 2], dtype=tf.int8)}]
    saved.half = tf.Variable([0.5, -2.0], dtype=tf.bfloat16)
    saved.flags = tf.Variable([True, False])
    saved.words = tf.Variable([["a", ""], ["\N{SNOWMAN}", "b" * 200]])
    saved.complex = tf.Variable([1 + 2j], dtype=tf.complex64)
    saved.empty = tf.Variable(np.zeros((0, 3), np.float64), shape=(0, 3))
    saved.table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
    saved.table.insert(tf.constant(["x", "y"]), tf.constant([1, 2], tf.int64))
    saved.random = tf.random.Generator.from_seed(1)
    iterator = iter(tf.data.Dataset.range(5))
    tf.train.Checkpoint(model=saved, iterator=iterator, step=tf.Variable(7)).save(folder / "ckpt")


def sharded(folder: Path) -> None:
    """Four data files."""
    policy = tf.train.experimental.MaxShardSizePolicy(max_shard_size=200)
    options = tf.train.CheckpointOptions(experimental_sharding_callback=policy)
    saved = tf.train.Checkpoint(**{f"v{i}": tf.Variable(np.full(40, i, "f4")) for i in range(4)})
    saved.write(str(folder / "parts"), options=options)


def tf1(folder: Path) -> None:
    """A name-based checkpoint with `.meta`: a partitioned variable, slots, a global step."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        whole = v1.get_variable(
            "table/weights",
            initializer=tf.reshape(tf.range(35.0), (7, 5)),
            partitioner=tf.compat.v1.fixed_size_partitioner(3),
        )
        bias = v1.get_variable("bias", initializer=tf.ones(5))
        step = v1.train.get_or_create_global_step()
        loss = tf.reduce_sum(tf.concat(list(whole), 0) * bias)
        train = v1.train.MomentumOptimizer(0.1, 0.9).minimize(loss, global_step=step)
        session.run(v1.global_variables_initializer())
        session.run(train)
        prefix = str(folder / "model.ckpt")
        v1.train.Saver(save_relative_paths=True).save(
            session, prefix, global_step=step, strip_default_attrs=True
        )


def only_counter(folder: Path) -> None:
    """Saved without a model: `save_counter` and nothing else."""
    tf.train.Checkpoint().save(folder / "ckpt")


def widths(folder: Path) -> None:
    """Two models of different width whose names look like steps."""
    for width in (16, 32):
        saved = tf.train.Checkpoint(w=tf.Variable(tf.ones([width])))
        saved.write(str(folder / f"model-{width}"))


def keras_3_files(folder: Path) -> None:
    """`.weights.h5`, `.weights.json` with shards, and `.keras`."""
    tf.keras.utils.set_random_seed(1)
    layers = [tf.keras.Input((4,)), L.Dense(2), L.Dropout(0.5)]
    tf.keras.Sequential(layers).save_weights(folder / "m.weights.h5")
    wide = tf.keras.Sequential([tf.keras.Input((40,)), L.Dense(20), L.Dense(20)])
    wide.save_weights(folder / "s.weights.json", max_shard_size=3500 / 1024**3)
    tf.keras.Sequential([tf.keras.Input((4,)), L.Dense(2, dtype="bfloat16")]).save(
        folder / "m.keras"
    )


PARTS = {
    "2.15": {"keras2_manager": keras_2_manager, "tf1": tf1, "only_counter": only_counter},
    "2.21": {
        "keras3_lists": keras_3_lists,
        "module": module,
        "sharded": sharded,
        "widths": widths,
        "keras3_files": keras_3_files,
    },
}


def main() -> None:
    for name, write in PARTS[".".join(tf.__version__.split(".")[:2])].items():
        folder = DATA / name
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        write(folder)


if __name__ == "__main__":
    main()
