"""What a graph can do with a variable, one plain `tf.Module` each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from handmade import Case, spec, traced, traced_model

DTYPES = (
    "float16", "bfloat16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64",
    "bool", "complex64",
)  # fmt: skip
SHAPES = ((), (1,), (3, 4), (0, 3))
CASES: dict[str, Callable[[], Case]] = {}

_ROWS = np.random.default_rng(7).normal(size=(3, 4)).astype("float32")
_IDS = np.array([[1, 8, 3, 0, 5], [2, 2, 7, 6, 4]], "int32")


def case(make: Callable[[], Case]) -> Callable[[], Case]:
    CASES[make.__name__] = make
    return make


class Weights(tf.Module):
    """A matrix, a vector and a table of embeddings."""

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(3)
        self.w = tf.Variable(rng.normal(size=(4, 4)).astype("float32") * 0.5, name="w")
        self.b = tf.Variable(rng.normal(size=4).astype("float32"), name="b")
        self.e = tf.Variable(rng.normal(size=(9, 4)).astype("float32"), name="e")


def _one(owner: Any, call: Callable[..., Any], **inputs: tuple[np.ndarray, tuple]) -> Case:
    specs = [spec(name, array.dtype.name, *shape) for name, (array, shape) in inputs.items()]
    feeds = {name: array for name, (array, _) in inputs.items()}
    model = traced_model(owner, traced(call, *specs))
    return Case(model=model, inputs={"serving_default": feeds}, keep=owner)


@case
def while_loop_with_branch() -> Case:
    m = Weights()

    def call(x):
        for _ in tf.range(5):
            x = tf.nn.tanh(x @ m.w + m.b)
            if tf.reduce_sum(x) > 0.0:  # noqa: SIM108 - autograph turns it into a branch
                x = x - m.b
            else:
                x = x + 2 * m.b
        return {"y": x}

    return _one(m, call, x=(_ROWS, ("n", 4)))


@case
def gather_in_loop() -> Case:
    m = Weights()

    def call(ids):
        def step(i, state):
            rows = tf.nn.embedding_lookup(m.e, ids[:, i])
            return i + 1, tf.tanh(state @ m.w + rows)

        start = (0, tf.zeros([tf.shape(ids)[0], 4]))
        loop = tf.while_loop(lambda i, _: i < tf.shape(ids)[1], step, start)
        return {"y": loop[1]}

    return _one(m, call, ids=(_IDS, ("n", "t")))


@case
def gather_in_branch_in_nested_loops() -> Case:
    m = Weights()

    def inner(x):
        return tf.while_loop(
            lambda j, _: j < 2, lambda j, y: (j + 1, y + tf.gather(m.e, [0])), [0, x]
        )[1]

    def call(x):
        def step(i, y):
            return i + 1, tf.cond(i % 2 == 0, lambda: y @ m.w, lambda: inner(y))

        shapes = [tf.TensorShape([]), tf.TensorShape([None, 4])]
        loop = tf.while_loop(lambda i, _: i < 3, step, [0, x], shape_invariants=shapes)
        return {"y": loop[1]}

    return _one(m, call, x=(_ROWS, ("n", 4)))


@case
def switch_case_and_nested_functions() -> Case:
    m = Weights()
    g = tf.function(lambda x: x @ m.w + m.b)
    h = tf.function(lambda x: g(g(x)) * tf.reduce_sum(m.b))

    def call(x):
        branches = [lambda: x @ m.w, lambda: g(x), lambda: h(x) + tf.gather(m.e, [1])]
        return {"a": h(x) + g(x), "b": tf.switch_case(tf.shape(x)[0] - 1, branches)}

    return _one(m, call, x=(_ROWS, ("n", 4)))


@case
def noinline_function_with_variables() -> Case:
    m = Weights()
    attributes = {"_noinline": True}
    kept = tf.function(
        lambda x, ids: x @ m.w + tf.gather(m.e, ids) + tf.cast(tf.shape(m.e)[0], tf.float32),
        experimental_attributes=attributes,
    )
    ids = np.array([1, 2, 8], "int64")
    return _one(m, lambda x, ids: {"y": kept(x, ids) * 2}, x=(_ROWS, ("n", 4)), ids=(ids, ("n",)))


@case
def handle_passed_to_a_branch_function() -> Case:
    m = Weights()
    total = tf.function(
        lambda v: tf.reduce_sum(v) + tf.reduce_sum(tf.gather(v, [0])),
        experimental_attributes={"_noinline": True},
    )

    def call(x):
        big = tf.cond(tf.shape(x)[0] > 2, lambda: total(m.e), lambda: total(m.w))
        return {"y": x @ m.w * big + m.b}

    return _one(m, call, x=(_ROWS, ("n", 4)))


@case
def xla_function() -> Case:
    m = Weights()
    g = tf.function(lambda x: tf.nn.relu(x @ m.w + m.b), jit_compile=True)
    return _one(m, lambda x: {"y": g(g(x))}, x=(_ROWS, (3, 4)))


@case
def map_fn() -> Case:
    m = Weights()
    row = lambda r: tf.linalg.matvec(m.w, r) + m.b  # noqa: E731
    return _one(m, lambda x: {"y": tf.map_fn(row, x)}, x=(_ROWS, ("n", 4)))


@case
def custom_gradients() -> Case:
    m = Weights()

    @tf.custom_gradient
    def clipped(x):
        return tf.nn.relu(x), lambda d: d

    again = tf.recompute_grad(lambda x: tf.tanh(x @ m.w))
    return _one(m, lambda x: {"y": clipped(again(x)) + m.b}, x=(_ROWS, ("n", 4)))


@case
def gather_nd_and_batched_gather() -> Case:
    m = Weights()
    m.t = tf.Variable(np.random.default_rng(5).normal(size=(2, 6, 3)).astype("float32"), name="t")

    def call(at, ids):
        rows = m.t.sparse_read(tf.zeros([1], tf.int32))
        batched = tf.raw_ops.ResourceGather(
            resource=m.t.handle, indices=ids, dtype=tf.float32, batch_dims=1
        )
        return {"nd": m.e.gather_nd(at), "batched": batched + rows[:, :1]}

    at = np.array([[1, 2], [3, 0]], "int32")
    ids = np.array([[0, 5, 1], [2, 2, 4]], "int64")
    return _one(m, call, at=(at, ("n", 2)), ids=(ids, (2, "k")))


@case
def every_dtype_and_shape() -> Case:
    m, rng = tf.Module(), np.random.default_rng(1)
    m.v = [
        tf.Variable(tf.cast(tf.constant(rng.integers(0, 5, shape)), dtype), name=f"{dtype}_{i}")
        for dtype in DTYPES
        for i, shape in enumerate(SHAPES)
    ]
    m.s = [tf.Variable(["a", "b\0cd", "\u00e9"], name="s3"), tf.Variable("alone", name="s0")]

    def number(v):
        if v.dtype == tf.string:
            return tf.cast(tf.reduce_sum(tf.strings.to_hash_bucket_fast(v, 999)), tf.int32)
        real = tf.math.real(v) if v.dtype == tf.complex64 else v
        return tf.reduce_sum(tf.cast(real, tf.int32))

    def call(x):
        return {"sums": tf.stack([number(v) for v in (*m.v, *m.s)]) + x}

    return _one(m, call, x=(np.ones(1, "int32"), (1,)))


@case
def captured_constants() -> Case:
    m = Weights()
    m.c = tf.constant(np.random.default_rng(2).normal(size=(300, 4)).astype("float32"))
    m.words = tf.constant(["one", "two"])

    def call(x):
        return {"y": x @ m.w + tf.reduce_sum(m.c, 0), "word": m.words[:1]}

    return _one(m, call, x=(_ROWS, ("n", 4)))


@case
def control_flow_of_tf1() -> Case:
    """Enter, Switch, Merge and Exit, as an imported TF1 graph has them."""
    m = Weights()

    old = tf.Graph()
    tf.compat.v1.disable_control_flow_v2()
    with old.as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None, 4], "x")
        b = tf.compat.v1.placeholder(tf.float32, [4], "b")
        w, e = (tf.compat.v1.placeholder(tf.resource, [], name) for name in ("w", "e"))

        def step(i, y):
            weight = tf.raw_ops.ReadVariableOp(resource=w, dtype=tf.float32)
            row = tf.raw_ops.ResourceGather(resource=e, indices=[2] + 0 * i, dtype=tf.float32)
            row.set_shape([1, 4])
            weight.set_shape([4, 4])
            return i + 1, tf.tanh(y @ weight + row)

        loop = tf.compat.v1.while_loop(lambda i, _: i < 3, step, [0, x])
        y = tf.cond(tf.reduce_sum(loop[1]) > 0, lambda: loop[1] + b, lambda: -loop[1])
    tf.compat.v1.enable_control_flow_v2()
    definition = old.as_graph_def()
    assert {"Enter", "Exit", "Switch", "Merge"} <= {node.op for node in definition.node}

    imported = tf.compat.v1.wrap_function(
        lambda: tf.graph_util.import_graph_def(definition, name=""), []
    ).prune(["x:0", "b:0", "w:0", "e:0"], y.name)

    def graph(x):
        return imported(x, m.b.read_value(), m.w.handle, m.e.handle)

    return _one(m, lambda x: {"y": graph(x), "twice": graph(graph(x))}, x=(_ROWS, ("n", 4)))


@case
def awkward_names() -> Case:
    """Names of the declaration that are also names of nodes, weights or of each other."""
    m = Weights()

    def call(x, w):
        return {"x": tf.identity(x @ m.w, name="MatMul"), "MatMul": x @ w + m.b, "b": m.b * 2}

    square = np.random.default_rng(4).normal(size=(4, 4)).astype("float32")
    return _one(m, call, x=(_ROWS, ("n", 4)), w=(square, (4, 4)))


@case
def several_signatures() -> Case:
    m = Weights()

    def encode(x):
        loop = tf.while_loop(
            lambda i, _: i < 3, lambda i, y: (i + 1, tf.tanh(y @ m.w)), (0, x),
            shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, 4])),
        )  # fmt: skip
        return {"code": loop[1] + m.b}

    def decode(x):
        loop = tf.while_loop(
            lambda i, _: i < 2, lambda i, y: (i + 1, tf.tanh(y @ m.w - m.b)), (0, x),
            shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, 4])),
        )  # fmt: skip
        return {"text": loop[1]}

    x = spec("x", "float32", "n", 4)
    model = traced_model(m, traced(encode, x, name="encode"), traced(decode, x, name="decode"))
    inputs = {"encode": {"x": _ROWS}, "decode": {"x": _ROWS + 1}}
    return Case(model=model, inputs=inputs, keep=m)
