"""Each pass keeps the numbers, does what it is there for, and leaves alone what it must."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from ckpt_action.engine.prepare import constants
from ckpt_action.engine.prepare.batch_norm import fold_batch_norm
from ckpt_action.engine.prepare.constants import fold_constants
from ckpt_action.engine.prepare.duplicates import merge_constants
from ckpt_action.engine.prepare.editor import constant_node
from ckpt_action.engine.prepare.einsum import lower_einsum
from ckpt_action.engine.prepare.erfc import rewrite_erfc
from ckpt_action.engine.prepare.identities import skip_identities
from ckpt_action.engine.prepare.training_norm import rewrite_training_norm

RNG = np.random.default_rng(0)
KEEP = ("x", "y")


def noise(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("float32")


def graph_of(compute: Callable[[Any], Any], shape: tuple[int | None, ...]) -> Any:
    """A GraphDef that computes `y` from `x`."""
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, shape, "x")
        tf.identity(compute(x), "y")
    return graph.as_graph_def()


def run(graph: Any, x: np.ndarray) -> np.ndarray:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.graph_util.import_graph_def(graph, name="")
        value: np.ndarray = session.run("y:0", {"x:0": x})
    return value


def ops(graph: Any) -> Counter[str]:
    bodies = [graph.node, *(f.node_def for f in graph.library.function)]
    return Counter(node.op for nodes in bodies for node in nodes)


def same(before: Any, after: Any, x: np.ndarray) -> None:
    wanted = run(before, x)
    assert np.isfinite(wanted).all()
    assert np.abs(wanted).max() > 0.1
    np.testing.assert_allclose(run(after, x), wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())


KERNEL, DEPTHWISE, MATRIX = noise(3, 3, 3, 4), noise(3, 3, 3, 2), noise(6, 4)
GAMMA, BETA, MEAN = noise(4), noise(4), noise(4)
VARIANCE = np.abs(noise(4)) + 0.5
STATISTICS = (MEAN, VARIANCE, BETA, GAMMA)


def conv(x: Any, data_format: str = "NHWC") -> Any:
    return tf.nn.conv2d(x, tf.constant(KERNEL), 1, "SAME", data_format=data_format)


def fused(x: Any, *, training: bool = False, channels: int = 4) -> Any:
    values = [v[:channels] for v in (GAMMA, BETA, MEAN, VARIANCE)]
    if training:
        values[2:] = [np.empty(0, "float32")] * 2
    arguments = dict(zip(("scale", "offset", "mean", "variance"), values, strict=True))
    return tf.raw_ops.FusedBatchNormV3(x=x, **arguments, is_training=training, epsilon=1e-3).y


IMAGE, ROWS = (None, 5, 5, 3), (None, 6)
FOLDED = {
    "keras 3": (lambda x: tf.nn.batch_normalization(conv(x), *STATISTICS, 1e-3), IMAGE),
    "keras 2": (lambda x: fused(conv(x)), IMAGE),
    "a bias before": (lambda x: fused(tf.nn.bias_add(conv(x), BETA)), IMAGE),
    "a bias of rank 4": (lambda x: fused(conv(x) + BETA.reshape(1, 1, 1, 4)), IMAGE),
    "a scalar": (lambda x: conv(x) * 2.0 - 3.0, IMAGE),
    "a constant before": (lambda x: GAMMA * (BETA + conv(x)), IMAGE),
    "depthwise": (
        lambda x: tf.nn.depthwise_conv2d(x, DEPTHWISE, [1, 1, 1, 1], "SAME") * noise(6) + noise(6),
        IMAGE,
    ),
    "matmul": (lambda x: (x @ MATRIX) * GAMMA + BETA, ROWS),
    "two in a row": (lambda x: fused(fused(conv(x))), IMAGE),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDED)
def test_batch_normalisation_is_folded_into_the_kernel(name):
    compute, shape = FOLDED[name]
    x = noise(2, *shape[1:])
    before = fold_constants(graph_of(compute, shape), KEEP)
    after = fold_batch_norm(before, KEEP)
    same(before, after, x)
    found = ops(after)
    assert found["BiasAdd"] == 1
    assert not {"Mul", "AddV2", "Sub", "FusedBatchNormV3"} & set(found)
    assert found["Const"] == 2


UNFOLDED = {
    "the kernel's own value is read": (lambda x: (c := conv(x)) + c * GAMMA, IMAGE),
    "statistics of the batch": (lambda x: fused(conv(x), training=True), IMAGE),
    "no constant": (lambda x: conv(x) * tf.reduce_mean(x), IMAGE),
    "a subtraction from a constant": (lambda x: GAMMA - conv(x), IMAGE),
    "another axis": (lambda x: conv(x) * noise(5, 1), IMAGE),
    "a rank that grows": (lambda x: (x @ MATRIX) * noise(1, 1, 4), ROWS),
    "a transposed matrix": (lambda x: tf.matmul(x, MATRIX.T, transpose_b=True) * GAMMA, ROWS),
    "no number": (lambda x: conv(x) * tf.constant([1.0, 2.0, np.inf, 3.0]) * 0.0, IMAGE),
}


@pytest.mark.parametrize("name", UNFOLDED)
def test_what_is_no_scale_of_channels_is_not_folded(name):
    compute, shape = UNFOLDED[name]
    graph = fold_constants(graph_of(compute, shape), KEEP)
    assert ops(fold_batch_norm(graph, KEEP)) == ops(graph)


def test_a_second_reader_of_statistics_forbids_folding():
    def compute(x):
        norm = tf.raw_ops.FusedBatchNormV3(
            x=conv(x), scale=GAMMA, offset=BETA, mean=MEAN, variance=VARIANCE, is_training=False
        )
        return norm.y + norm.batch_mean

    graph = graph_of(compute, IMAGE)
    assert ops(fold_batch_norm(graph, KEEP))["FusedBatchNormV3"] == 1


def test_a_lone_bias_becomes_a_bias_add_and_keeps_the_kernel():
    before = graph_of(lambda x: conv(x) + BETA.reshape(1, 1, 1, 4), IMAGE)
    after = fold_batch_norm(before, KEEP)
    same(before, after, noise(2, 5, 5, 3))
    assert {n.name for n in before.node if n.op == "Conv2D"} <= {n.name for n in after.node}
    kernels = {n.input[1] for g in (before, after) for n in g.node if n.op == "Conv2D"}
    assert len(kernels) == 1


def test_constants_are_folded_up_to_what_depends_on_an_input():
    def compute(x):
        table = tf.reshape(tf.range(6, dtype=tf.float32) * 2.0, [2, 3])
        return tf.matmul(x, table) + tf.cast(tf.shape(table)[1], tf.float32)

    before = graph_of(compute, (None, 2))
    after = fold_constants(before, KEEP)
    same(before, after, noise(4, 2))
    assert ops(after) == {"Placeholder": 1, "Const": 2, "MatMul": 1, "AddV2": 1, "Identity": 1}


def test_constants_that_would_grow_the_file_are_not_folded():
    before = graph_of(lambda x: x + tf.fill([300, 300], 2.0), (None, 300))
    assert ops(fold_constants(before, KEEP))["Fill"] == 1


def test_random_numbers_are_not_constants():
    before = graph_of(lambda x: x + tf.random.normal([3]), (None, 3))
    assert ops(fold_constants(before, KEEP))["RandomStandardNormal"] == 1


def test_what_waits_for_something_is_not_folded():
    """In a branch of the TF1 form, that is how a constant knows whether it is wanted."""
    tf.compat.v1.disable_control_flow_v2()
    try:
        before = graph_of(
            lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: x * 2.0, lambda: tf.ones([2, 3]) * 7.0),
            (2, 3),
        )
    finally:
        tf.compat.v1.enable_control_flow_v2()
    after = fold_constants(skip_identities(before, KEEP), KEEP)
    for sign in (1, -1):
        same(before, after, sign * np.abs(noise(2, 3)))


def test_exact_gelu_has_no_erfc():
    before = graph_of(lambda x: 0.5 * x * tf.math.erfc(-x * 0.5**0.5), (None, 3))
    after = rewrite_erfc(before, KEEP)
    same(before, after, 3 * noise(20, 3))
    assert ops(after)["Erfc"] == 0
    assert ops(after)["Erf"] == 1


EINSUMS = ["ab,bc->ac", "abc,cde->abde", "abcd,cde->abe", "aecd,abcd->acbe", "acbe,aecd->abcd",
           "abc,abd->acd", "ab,cb->ca", "abc,cd->dab", "abcd,adce->be"]  # fmt: skip


@pytest.mark.parametrize("equation", EINSUMS)
def test_einsum_becomes_a_matrix_product(equation):
    left, right = equation.split("->")[0].split(",")
    sizes = dict(zip("abcde", (2, 3, 4, 5, 6), strict=True))
    other = noise(*(sizes[axis] for axis in right))
    shape = tuple(sizes[axis] for axis in left)
    for declared in (shape, (None,) * len(shape)):
        before = graph_of(lambda x: tf.einsum(equation, x, tf.constant(other)), declared)
        after = lower_einsum(before, KEEP)
        same(before, after, noise(*shape))
        assert ops(before)["Einsum"] == 1
        assert ops(after)["Einsum"] == 0


@pytest.mark.parametrize("equation", ["ab,ab->ab", "ab,cd->ac", "aab,bc->ac", "...a,ab->...b"])
def test_other_einsums_stay(equation):
    axes = equation.split("->")[0].split(",")[1]
    other = noise(*(3 for _ in axes))
    x = [3] * (equation.index(",") if "." not in equation else 2)
    before = graph_of(lambda v: tf.einsum(equation, v, tf.constant(other)), tuple(x))
    assert ops(lower_einsum(before, KEEP)) == ops(before)


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
def test_statistics_of_the_input_are_spelled_out(data_format):
    """As in the LayerNormalization of Keras 2, which TensorFlow runs as NCHW on a processor."""

    def compute(x):
        folded = tf.reshape(x, [1, 4, -1, 1] if data_format == "NCHW" else [1, -1, 1, 4])
        nothing = np.empty(0, "float32")
        return tf.raw_ops.FusedBatchNormV3(
            x=folded, scale=GAMMA, offset=BETA, mean=nothing, variance=nothing,
            is_training=True, data_format=data_format,
        ).y  # fmt: skip

    before = graph_of(compute, (4, 6))
    after = rewrite_training_norm(before, KEEP)
    same(before, after, noise(4, 6))
    assert ops(after)["FusedBatchNormV3"] == 0


def test_functions_are_rewritten_too():
    kernel = noise(3, 3)

    def compute(x):
        step = lambda i, v: (i + 1, tf.math.erfc(tf.einsum("ab,bc->ac", v, kernel)))  # noqa: E731
        return tf.while_loop(lambda i, _: i < 2, step, (0, x))[1]

    before = graph_of(compute, (None, 3))
    after = lower_einsum(rewrite_erfc(before, KEEP), KEEP)
    same(before, after, noise(4, 3))
    assert ops(before)["Erfc"] == ops(before)["Einsum"] == 1
    assert not {"Erfc", "Einsum"} & set(ops(after))


def test_a_weight_that_is_handed_on_is_taken_and_not_computed(monkeypatch):
    computed = constants._computed
    wanted = []

    def noted(body, foldable, results):
        wanted.extend(results)
        return computed(body, foldable, results)

    monkeypatch.setattr(constants, "_computed", noted)
    before = graph_of(lambda x: x @ tf.identity(MATRIX, "kernel") + tf.identity(2.0, "two"), ROWS)
    after = fold_constants(before, KEEP)
    same(before, after, noise(2, 6))
    assert wanted == ["two"]
    nodes = {n.name: n for n in after.node if n.op == "Const"}
    assert set(nodes) == {"kernel", "two"}
    assert nodes["kernel"] == constant_node("kernel", MATRIX)


def test_small_constants_are_kept_once_and_weights_apart():
    def compute(x):
        for _ in range(3):
            x = tf.reshape(x * tf.constant(0.5) + tf.zeros([4]), tf.constant([-1, 4]))
        return x + tf.constant(0.5) + tf.cast(tf.constant([-1, 4], tf.int64)[1], tf.float32)

    before = fold_constants(graph_of(compute, (None, 4)), KEEP)
    after = merge_constants(before, KEEP)
    same(before, after, noise(5, 4))
    stored = [tf.make_ndarray(n.attr["value"].tensor) for n in after.node if n.op == "Const"]
    assert sorted((c.dtype.name, c.shape) for c in stored) == [
        ("float32", ()), ("float32", ()), *[("float32", (4,))] * 3, ("int32", (2,)),
    ]  # fmt: skip


def test_identities_are_skipped_and_outputs_keep_their_names():
    before = graph_of(lambda x: tf.stop_gradient(tf.identity(x)) * 2.0, (None, 3))
    after = skip_identities(before, KEEP)
    same(before, after, noise(2, 3))
    assert ops(after) == {"Placeholder": 1, "Const": 1, "Mul": 1, "Identity": 1}
