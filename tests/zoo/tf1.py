"""TF1 graphs and Savers: name-based checkpoints with and without `.meta`, and the V1 format."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from models import GOLDEN_NAMES
from tensorflow.core.protobuf import meta_graph_pb2, saver_pb2

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
def by_name() -> Graph:
    """No `.meta` was kept: the variables meet a module by their names."""
    x = placeholder(None, 6)
    y = dense(tf.nn.relu(dense(x, 5, "layer1")), 3, "layer2")
    y = tf.identity(y, name="output")
    v1.train.AdamOptimizer().minimize(tf.reduce_sum(y))
    return Graph({"x": x}, {"output": y}, entry_point="architectures.named:by_name")


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


def generate(world: Path, versions: Mapping[str, str]) -> list[dict[str, str]]:
    holes = []
    v1.disable_control_flow_v2()
    try:
        for name, build in GRAPHS.items():
            try:
                _write(world / "tf1" / name, build, world.name, versions)
            except Exception as error:
                reason = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:160]}"
                holes.append({"architecture": "tf1", "saver": name, "reason": reason})
                shutil.rmtree(world / "tf1" / name, ignore_errors=True)
    finally:
        v1.enable_control_flow_v2()
    return holes


def _write(
    folder: Path, build: Callable[[], Graph], world: str, versions: Mapping[str, str]
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rng = np.random.default_rng(5)
    config = v1.ConfigProto(allow_soft_placement=True)
    with tf.Graph().as_default(), v1.Session(config=config) as session:
        made = build()
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        for item in v1.global_variables():
            if item.dtype.base_dtype.is_floating:
                item.load(rng.normal(0.0, 0.6, item.shape), session)
        v1.train.Saver(**made.saver).save(session, str(folder / "model.ckpt"), global_step=20)
        if made.averages is not None:
            for item in v1.trainable_variables():
                item.load(session.run(made.averages.average(item)), session)
        _write_golden(folder, made, session, rng)
    meta = folder / "model.ckpt-20.meta"
    if made.entry_point:
        meta.unlink()
    elif made.device:
        _place(meta, made.device)
    case = {
        "world": world,
        **versions,
        "architecture": "tf1",
        "saver": folder.name,
        "entry_point": made.entry_point,
        "method": "__call__",
        "checkpoint": "model.ckpt-20",
        "root": None,
        "weights": made.weights,
        "inputs": {name: _declared(tensor) for name, tensor in made.inputs.items()},
        "outputs": {name: tensor.name for name, tensor in made.outputs.items()},
        "constants": dict(made.constants),
        "goldens": list(GOLDEN_NAMES),
        "refuse": "",
    }
    (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n", encoding="utf-8")


def _place(meta: Path, device: str) -> None:
    graph_file = meta_graph_pb2.MetaGraphDef.FromString(meta.read_bytes())
    for node in graph_file.graph_def.node:
        node.device = device
    meta.write_bytes(graph_file.SerializeToString(deterministic=True))


def _declared(tensor: Any) -> dict[str, Any]:
    rank_known = tensor.shape.rank is not None
    shape = [size or "batch" for size in tensor.shape.as_list()] if rank_known else ["batch", 4]
    return {"dtype": tensor.dtype.base_dtype.name, "shape": shape, "tensor": tensor.name}


def _write_golden(folder: Path, made: Graph, session: Any, rng: np.random.Generator) -> None:
    for name, batch in zip(GOLDEN_NAMES, (3, 1), strict=True):
        feeds, arrays = dict(made.constants), {}
        for key, tensor in made.inputs.items():
            shape = [batch if size == "batch" else size for size in _declared(tensor)["shape"]]
            value = (
                np.array([b"cat", b"dog", b"the"][:batch])
                if tensor.dtype == tf.string
                else rng.uniform(-1.0, 1.0, shape).astype(tensor.dtype.as_numpy_dtype)
            )
            feeds[tensor] = arrays[f"in_{key}"] = value
        outputs = session.run(list(made.outputs.values()), feeds)
        arrays |= {f"out_{k}": value for k, value in enumerate(outputs)}
        np.savez(folder / name, **arrays)
