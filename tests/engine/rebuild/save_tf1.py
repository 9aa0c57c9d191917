"""Save a TF1 training graph with control flow, tables and an optimizer: `folder kind`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1


def forward(resources):
    normal = tf1.random_normal_initializer(seed=1)
    x = tf1.placeholder(tf.float32, [None, 8])
    keep = tf1.placeholder(tf.float32, name="keep_prob")
    training = tf1.placeholder_with_default(True, [], name="is_training")
    words = tf1.placeholder(tf.string, [None], name="words")
    kernel = tf1.get_variable("dense/kernel", [8, 5], initializer=normal, use_resource=resources)
    bias = tf1.Variable(tf.constant([0.1, -0.2, 0.3, -0.4, 0.5]), use_resource=resources)
    hidden = tf1.nn.dropout(tf.nn.relu(tf.matmul(x, kernel) + bias), keep_prob=keep)
    held = bias.read_value() if resources else bias.op.outputs[0]  # the reference itself
    hidden = tf1.cond(training, lambda: hidden * 2.0, lambda: hidden + held)
    _, looped = tf1.while_loop(
        lambda i, _: i < 3,
        lambda i, a: (i + 1, tf.tanh(tf.matmul(a, kernel[:5, :]) + bias)),
        [tf.constant(0), hidden],
    )
    y = tf.nn.softmax(looped, name="y")
    table = tf1.lookup.StaticHashTable(
        tf1.lookup.KeyValueTensorInitializer(
            tf.constant(["a", "b"]), tf.constant([3, 4], tf.int64)
        ),
        0,
    )
    embedding = tf1.get_variable("embedding", [9, 5], initializer=normal, use_resource=resources)
    z = tf.add(y, tf.gather(embedding, table.lookup(words)), name="z")
    tf1.identity(tf1.assign_add(bias, tf.ones(5)), name="bump")
    return (x, keep, training, words), (y, z)


def save(folder, resources):
    tf1.disable_control_flow_v2()
    with tf.Graph().as_default(), tf1.Session() as session:
        (x, keep, training, words), (y, z) = forward(resources)
        tf1.train.AdamOptimizer().minimize(tf.reduce_sum(y))
        session.run([tf1.global_variables_initializer(), tf1.tables_initializer()])
        tf1.train.Saver().save(session, str(folder / "model.ckpt"))
        sample = np.random.RandomState(0).randn(3, 8).astype(np.float32)
        feed = {x: sample, keep: 1.0, training: False, words: ["a", "b", "q"]}
        found_y, found_z = session.run([y, z], feed)
    np.savez(folder / "golden.npz", x=sample, y=found_y, z=found_z)
    move_to_another_machine(folder / "model.ckpt.meta")


def move_to_another_machine(path):
    meta = tf1.MetaGraphDef.FromString(path.read_bytes())
    for node in meta.graph_def.node:
        node.device = "/job:worker/task:3/device:GPU:1"
    path.write_bytes(meta.SerializeToString())


save(Path(sys.argv[1]), sys.argv[2] == "resources")
