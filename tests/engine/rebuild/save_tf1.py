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


def save_parts(folder, resources):
    """A partitioned kernel, an optimizer with slots, and signatures of the graph's own."""
    with tf.Graph().as_default(), tf1.Session() as session:
        partitions = tf1.fixed_size_partitioner(3)
        with tf1.variable_scope("big", partitioner=partitions, use_resource=resources):
            kernel = tf1.get_variable("kernel", [7, 4])
        x = tf1.placeholder(tf.float32, [None, 7], name="x")
        y = tf.matmul(x, tf.convert_to_tensor(kernel), name="y")
        other = tf1.get_variable("other", [4], use_resource=resources)
        tf1.train.AdamOptimizer().minimize(
            tf.reduce_sum(y * other), tf1.train.get_or_create_global_step()
        )
        session.run(tf1.global_variables_initializer())
        saver = tf1.train.Saver()
        saver.save(session, str(folder / "model.ckpt"), write_meta_graph=False)
        build, info = tf1.saved_model.build_signature_def, tf1.saved_model.build_tensor_info
        meta = tf1.train.export_meta_graph(saver_def=saver.as_saver_def())
        meta.signature_def["predict"].CopyFrom(build({"in": info(x)}, {"out": info(y)}))
        (folder / "model.ckpt.meta").write_bytes(meta.SerializeToString())
        sample = np.random.RandomState(0).randn(3, 7).astype(np.float32)
        np.savez(folder / "golden.npz", x=sample, y=session.run(y, {x: sample}))


def move_to_another_machine(path):
    meta = tf1.MetaGraphDef.FromString(path.read_bytes())
    for node in meta.graph_def.node:
        node.device = "/job:worker/task:3/device:GPU:1"
    path.write_bytes(meta.SerializeToString())


for write, part in ((save, ""), (save_parts, "parts")):
    place = Path(sys.argv[1]) / part
    place.mkdir(exist_ok=True)
    write(place, sys.argv[2] == "resources")
