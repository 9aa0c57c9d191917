"""TF1 graphs, built with `tf.compat.v1` the way TF1 programs were written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saver_pb2

v1 = tf.compat.v1
GRAPHS: dict[str, Callable[[], Graph]] = {}


@dataclass
class Graph:
    """What a graph builder made: tensors by the names that a user would declare."""

    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    constants: Mapping[str, Any] = field(default_factory=dict)
    entry_point: str | None = None
    """A module that restores by variable name; then no `.meta` is kept."""
    saver: dict[str, Any] = field(default_factory=dict)
    """Arguments of `tf.compat.v1.train.Saver`."""
    weights: str = "raw"
    averages: Any = None
    device: str = ""
    """Written into every node of the `.meta`."""


def graph(build: Callable[[], Graph]) -> Callable[[], Graph]:
    GRAPHS[build.__name__] = build
    return build


def variable(name: str, *shape: int, resource: bool = True, **kwargs: Any) -> Any:
    return v1.get_variable(name, shape, use_resource=resource, **kwargs)


def dense(x: Any, units: int, name: str, resource: bool = True) -> Any:
    with v1.variable_scope(name):
        kernel = variable("weights", x.shape[-1], units, resource=resource)
        return tf.matmul(x, kernel) + variable("biases", units, resource=resource)


def placeholder(*shape: int | None, name: str = "x", dtype: str = "float32") -> Any:
    return v1.placeholder(dtype, shape, name=name)


@graph
def dropout_fed() -> Graph:
    """keep_prob has no default: it must be fed, or given as a constant. Reference variables."""
    x = placeholder(None, 6)
    keep = placeholder(name="keep_prob")
    hidden = tf.nn.relu(dense(x, 5, "layer1", resource=False))
    hidden = v1.nn.dropout(hidden, keep_prob=keep)
    logits = tf.identity(dense(hidden, 3, "layer2", resource=False), name="logits")
    loss = tf.reduce_mean(logits**2)
    step = v1.train.get_or_create_global_step()
    v1.train.AdamOptimizer().minimize(loss, global_step=step)
    return Graph({"x": x}, {"logits": logits}, {"keep_prob:0": 1.0})


@graph
def dropout_default() -> Graph:
    x = placeholder(None, 6)
    keep = v1.placeholder_with_default(1.0, (), name="keep_prob")
    hidden = v1.nn.dropout(tf.tanh(dense(x, 5, "layer1")), keep_prob=keep)
    return Graph({"x": x}, {"y": tf.identity(dense(hidden, 3, "layer2"), name="y")})


@graph
def batch_norm() -> Graph:
    """A boolean `is_training` steers a cond; moving averages are written by update ops."""
    x = placeholder(None, 4)
    training = v1.placeholder(tf.bool, (), name="is_training")
    mean = variable("moving_mean", 4, trainable=False)
    variance = variable("moving_variance", 4, trainable=False)
    batch = tf.nn.moments(x, [0])
    chosen = v1.cond(
        training, lambda: (batch[0], batch[1]), lambda: (mean + 0.0, tf.abs(variance) + 0.1)
    )
    y = tf.nn.batch_normalization(
        x, chosen[0], chosen[1], variable("beta", 4), variable("gamma", 4), 1e-3
    )
    return Graph({"x": x}, {"y": tf.identity(y, name="normed")}, {"is_training:0": False})


@graph
def control_flow() -> Graph:
    """Switch, Merge, Enter, Exit: the control flow of TF1."""
    x = placeholder(None, 4)
    kernel = variable("kernel", 4, 4)

    def step(k, state):
        return k + 1, tf.tanh(tf.matmul(state, kernel))

    _, state = v1.while_loop(
        lambda k, _: k < 3, step, [0, x], shape_invariants=[tf.TensorShape([]), x.shape]
    )
    y = v1.cond(
        tf.reduce_sum(state) > 0.0, lambda: state @ kernel, lambda: state - variable("shift", 4)
    )
    return Graph({"x": x}, {"y": tf.identity(y, name="y")})


@graph
def tables() -> Graph:
    """A lookup table that the graph's collections initialise."""
    words = placeholder(None, name="words", dtype="string")
    table = v1.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(["the", "cat", "sat"], [1, 2, 3], tf.string, tf.int64),
        0,
    )
    y = tf.gather(variable("embedding", 4, 3), table.lookup(words))
    return Graph({"words": words}, {"y": tf.identity(y, name="y")})


@graph
def unknown_rank() -> Graph:
    x = v1.placeholder(tf.float32, name="x")
    y = tf.reshape(x, (-1, 4)) @ variable("kernel", 4, 2)
    return Graph({"x": x}, {"y": tf.identity(y, name="y")})


@graph
def partitioned() -> Graph:
    """One variable stored in slices."""
    x = placeholder(None, 6)
    with v1.variable_scope("big", partitioner=v1.fixed_size_partitioner(3)):
        kernel = variable("kernel", 6, 4)
    y = x @ tf.concat(list(kernel), axis=0)
    return Graph({"x": x}, {"y": tf.identity(y, name="y")})


@graph
def v1_format() -> Graph:
    """The single table file that Savers wrote before V2."""
    x = placeholder(None, 6)
    y = dense(tf.nn.relu(dense(x, 5, "layer1")), 3, "layer2")
    return Graph(
        {"x": x},
        {"y": tf.identity(y, name="y")},
        saver={"write_version": saver_pb2.SaverDef.V1},
    )


@graph
def device_placed() -> Graph:
    """Every node names a device that only the training machine had."""
    x = placeholder(None, 4)
    y = x @ variable("kernel", 4, 2)
    return Graph(
        {"x": x}, {"y": tf.identity(y, name="y")}, device="/job:worker/task:3/device:GPU:1"
    )


@graph
def layers_and_rnn() -> Graph:
    """tf.layers and tf.nn.dynamic_rnn, which TensorFlow lost with Keras 2."""
    x = placeholder(None, 5, 3)
    cell = v1.nn.rnn_cell.LSTMCell(4)
    sequence, state = v1.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    hidden = v1.layers.dense(tf.reduce_mean(sequence, 1) + state.h, 4, activation=tf.nn.relu)
    hidden = v1.layers.batch_normalization(hidden, training=False)
    return Graph({"x": x}, {"y": tf.identity(v1.layers.dense(hidden, 2), name="y")})


@graph
def sharded() -> Graph:
    x = placeholder(None, 6)
    with tf.device("/cpu:0"):
        hidden = tf.nn.relu(dense(x, 5, "layer1"))
    with tf.device("/cpu:1"):
        y = tf.identity(dense(hidden, 3, "layer2"), name="y")
    return Graph({"x": x}, {"y": y}, saver={"sharded": True})


@graph
def v1_sharded() -> Graph:
    return replace(sharded(), saver={"sharded": True, "write_version": saver_pb2.SaverDef.V1})


@graph
def by_name() -> Graph:
    """No `.meta` was kept: the variables meet a module by their names."""
    x = placeholder(None, 6)
    y = dense(tf.nn.relu(dense(x, 5, "layer1")), 3, "layer2")
    y = tf.identity(y, name="output")
    v1.train.AdamOptimizer().minimize(tf.reduce_sum(y))
    return Graph({"x": x}, {"output": y}, entry_point="architectures.named:by_name")


@graph
def by_name_keras() -> Graph:
    """Keras layers in a graph and a session; a Keras model meets them by their names."""
    x = placeholder(None, 6)
    hidden = tf.keras.layers.Dense(5, activation="relu", name="hidden")(x)
    y = tf.keras.layers.Dense(3, name="logits")(hidden)
    return Graph(
        {"x": x},
        {"output": tf.identity(y, name="output")},
        entry_point="architectures.named:by_name_keras",
    )


@graph
def by_name_averaged() -> Graph:
    """tf.train.ExponentialMovingAverage beside the raw weights."""
    x = placeholder(None, 6)
    y = dense(tf.nn.relu(dense(x, 5, "layer1")), 3, "layer2")
    averages = v1.train.ExponentialMovingAverage(0.9)
    averages.apply(v1.trainable_variables())
    return Graph(
        {"x": x},
        {"output": tf.identity(y, name="output")},
        entry_point="architectures.named:by_name",
        weights="ema",
        averages=averages,
    )
