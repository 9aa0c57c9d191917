"""Statistics of batches that a file holds and a signature passes over."""

from __future__ import annotations

import gc

import pytest
from cases import as_restored, make_job, rebuild, tf

from ckpt_action.checkpoint.records import Kind
from ckpt_action.config.records import InputSpec, OutputSpec, Signature
from ckpt_action.engine.prove.model.reference import make_reference
from ckpt_action.engine.trace.statistics import StoredVariable, passed_over
from ckpt_action.engine.trace.trace import trace

tf1 = tf.compat.v1


def save(folder, *, training, rows):
    """A graph of a session with a batch normalization whose updates lie beside it, and an
    optimizer."""
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [rows, 2, 2, 3], name="x")
        with tf1.variable_scope("bn"):
            gamma, beta = (tf1.get_variable(name, [3]) for name in ("gamma", "beta"))
            mean, variance = (
                tf1.get_variable(name, [3], initializer=tf1.ones_initializer(), trainable=False)
                for name in ("moving_mean", "moving_variance")
            )
        taken = (None, None) if training else (mean, variance)
        y, batch_mean, _ = tf1.nn.fused_batch_norm(x, gamma, beta, *taken, is_training=training)
        tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, tf1.assign(mean, batch_mean))
        tf.identity(y, name="y")
        tf1.train.MomentumOptimizer(0.1, 0.9).minimize(tf.reduce_sum(y))
        session.run(tf1.global_variables_initializer())
        tf1.train.Saver().save(session, str(folder / "model.ckpt"))


def stored(path, *shape, trained=True):
    return StoredVariable(path=path, shape=shape, trained=trained)


def statistic(path, *shape):
    return stored(path, *shape, trained=False)


KERNEL = stored("dense/kernel", 6, 5)


@pytest.mark.parametrize(
    ("read", "unread"),
    [
        ([stored("bn/gamma", 5)], [statistic("bn/mean", 5), statistic("bn/var", 5)]),
        ([KERNEL], [statistic("bn/mean", 5), statistic("bn/var", 5)]),
        ([KERNEL], [statistic("mean", 5)]),
        ([stored("bn/gamma", 5)], [statistic("bn/stats/mean", 5), statistic("bn/stats/var", 5)]),
        ([stored("bn/gamma", 5)], [stored("bn/mean", 5), stored("bn/var", 5)]),
        ([stored("bn/gamma", 5)], [statistic("bn/mean"), statistic("bn/var")]),
        ([KERNEL], [statistic("bn/mean", 1, 1, 1, 5)]),
    ],
    ids=["beside", "alone", "of-the-root", "nested", "trained", "scalars", "broadcast"],
)
def test_what_may_be_statistics_is_told(read, unread):
    paths = {one.path for one in read}
    found = passed_over([*read, *unread], paths, paths)
    assert found.any == tuple(sorted(one.path for one in unread))


@pytest.mark.parametrize(
    ("read", "unread"),
    [
        ([KERNEL], [statistic("dense/average", 6, 5)]),
        (
            [KERNEL],
            [stored("head/kernel", 5, 2), stored("head/bias", 2), statistic("head/mean", 2)],
        ),
        ([KERNEL], [statistic("temperature")]),
    ],
    ids=["copy of a weight", "unused part", "one number"],
)
def test_what_lies_aside_for_other_reasons_is_not(read, unread):
    paths = {one.path for one in read}
    assert passed_over([*read, *unread], paths, paths).any == ()


def test_statistics_beside_an_unused_part_are_told():
    aux = [stored("aux/kernel", 5, 2), stored("aux_norm/scale", 2), statistic("aux_norm/mean", 2)]
    unread = [statistic("norm/mean", 5), statistic("norm/variance", 5)]
    found = passed_over([KERNEL, *aux, *unread], {KERNEL.path}, {KERNEL.path})
    assert found.any == ("norm/mean", "norm/variance")


def test_a_count_is_not_like_a_mean_and_a_variance():
    count, *norm = statistic("a/count", 5), statistic("b/mean", 5), statistic("b/variance", 5)
    found = passed_over([KERNEL, count, *norm], {KERNEL.path}, {KERNEL.path})
    assert found.alike == ("b/mean", "b/variance")
    assert found.any == ("a/count", "b/mean", "b/variance")


def test_what_another_signature_reads_is_told_beside_what_this_one_reads_only():
    variables = [stored("enc", 6, 5), statistic("code", 5, 5), statistic("center", 5)]
    every = {one.path for one in variables}
    assert passed_over(variables, {"enc"}, every).any == ()
    variables = [stored("bn/gamma", 5), statistic("bn/mean", 5)]
    assert passed_over(variables, {"bn/gamma"}, {"bn/gamma", "bn/mean"}).any == ("bn/mean",)


@pytest.mark.parametrize(
    ("unread", "pairs"), [(["mean", "var"], ("bn/mean", "bn/var")), (["mean"], ())]
)
def test_a_mean_and_a_variance_beside_a_scale_can_hardly_be_anything_else(unread, pairs):
    read = [stored("bn/gamma", 5), stored("bn/kernel", 5, 5)]
    paths = {one.path for one in read}
    found = passed_over([*read, *(statistic(f"bn/{n}", 5) for n in unread)], paths, paths)
    assert found.pairs == pairs


def said(folder, rows, *, shape=None, constants=None):
    signature = Signature(
        name="serving_default",
        inputs=(InputSpec(name="x", dtype="float32", shape=shape or (rows, 2, 2, 3), tensor="x"),),
        outputs=(OutputSpec(name="y", tensor="y"),),
        constants=constants or {},
    )
    path = folder / "model.ckpt"
    job = make_job(None, signature, path=path, kind=Kind.NAME_BASED, folder=folder)
    model = rebuild(job)
    reader = tf.train.load_checkpoint(str(path))
    for name, variable in model.model.graph_variables.items():
        variable.assign(reader.get_tensor(name))
    reference = make_reference(trace(as_restored(model), "m", "no code"), job.model.verify)
    proofs = [p for p in reference.proofs if p.name == "statistics"]
    return proofs, " ".join(p.message for p in reference.problems)


@pytest.mark.parametrize("rows", ["batch", 4])
def test_a_graph_of_training_is_open_and_named(tmp_path, rows):
    save(tmp_path, training=True, rows=None if rows == "batch" else rows)
    (proof,), message = said(tmp_path, rows)
    assert proof.passed is None
    assert "computes without bn/moving_mean, bn/moving_variance, which lie beside" in proof.detail
    assert "takes mean and variance from what it is given" in message


@pytest.mark.parametrize("rows", ["batch", 4])
def test_a_graph_of_inference_is_not(tmp_path, rows):
    save(tmp_path, training=False, rows=None if rows == "batch" else rows)
    assert said(tmp_path, rows) == ([], "")


def test_without_its_collections_a_graph_does_not_tell(tmp_path):
    save(tmp_path, training=True, rows=4)
    meta = tf1.MetaGraphDef.FromString((tmp_path / "model.ckpt.meta").read_bytes())
    del meta.collection_def["trainable_variables"]
    (tmp_path / "model.ckpt.meta").write_bytes(meta.SerializeToString())
    assert said(tmp_path, 4) == ([], "")


def centred(x, name, training):
    with tf1.variable_scope(name):
        gamma = tf1.get_variable("gamma", [3])
        ones = tf1.ones_initializer()
        mean = tf1.get_variable("moving_mean", [3], initializer=ones, trainable=False)
    taken = tf1.cond(training, lambda: tf.reduce_mean(x, 0), lambda: tf.identity(mean))
    return (x - taken) * gamma


def save_with_switch(folder):
    """As people write it: the mode is a placeholder, and training its default. The first of two
    layers is switched by another one, which is right."""
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None, 3], name="x")
        training = tf1.placeholder_with_default(True, [], name="is_training")
        other = tf1.placeholder_with_default(False, [], name="other")
        y = centred(tf.sigmoid(centred(x, "first", other)), "bn", training)
        tf.identity(y, name="y")
        session.run(tf1.global_variables_initializer())
        tf1.train.Saver().save(session, str(folder / "model.ckpt"))


@pytest.mark.parametrize(("switch", "open_ones"), [(True, 1), (False, 0)])
def test_a_branch_that_is_not_taken_reads_nothing(tmp_path, switch, open_ones):
    save_with_switch(tmp_path)
    gc.collect()  # the graph's functions, which would go while others of their names are in use
    constants = {"is_training:0": switch}
    proofs, message = said(tmp_path, "batch", shape=("batch", 3), constants=constants)
    assert len(proofs) == open_ones
    assert ("computes without bn/moving_mean, which lie beside" in message) == bool(open_ones)
