"""Checks on a live model, run in a child because they need TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from ckpt_action.config.records import InputSpec, Signature, Verify
from ckpt_action.engine.arrays import load, save
from ckpt_action.engine.prove.model.reference import make_reference
from ckpt_action.engine.records import ModelVariable, TracedModel, TracedSignature
from ckpt_action.outcome import SignatureRecord, TensorRecord


def traced(function, variables, **inputs):
    """`function` as the only signature; inputs as (dtype, shape)."""
    specs = {
        name: tf.TensorSpec([d if isinstance(d, int) else None for d in shape], dtype, name)
        for name, (dtype, shape) in inputs.items()
    }
    concrete = tf.function(lambda **fed: {"y": function(**fed)}).get_concrete_function(**specs)
    output = concrete.structured_outputs["y"]
    record = SignatureRecord(
        name="serving_default",
        inputs=tuple(TensorRecord(name=n, dtype=d, shape=s) for n, (d, s) in inputs.items()),
        outputs=(TensorRecord(name="y", dtype=output.dtype.name, shape=None),),
    )
    declared = Signature(
        name="serving_default",
        inputs=tuple(InputSpec(name=n, dtype=d, shape=s) for n, (d, s) in inputs.items()),
    )
    held = tuple(ModelVariable(path=v.name, variable=v) for v in variables)
    signature = TracedSignature(declared=declared, function=concrete, record=record, variables=held)
    return TracedModel(name="m", signatures=(signature,), variables=held)


def reference_of(model, **verify):
    reference = make_reference(model, Verify(**verify))
    return {
        "labels": [probe.label for probe in reference.probes],
        "proofs": {proof.name: [proof.passed, proof.detail] for proof in reference.proofs},
        "problems": [[p.severity.value, p.message] for p in reference.problems],
        "values": [v.numpy().tolist() for m in model.variables for v in [m.variable]],
    }


def variable(value, name, dtype="float32"):
    return tf.Variable(np.array(value, dtype), name=name)


def plain(arguments, work):
    w = variable([1.0, 2.0], "w")
    return reference_of(traced(lambda x: x * w, [w], x=("float32", ("batch", 2))))


def vocabulary(arguments, work):
    """An embedding of 5 words; larger indices are an error."""
    table = variable(np.arange(10).reshape(5, 2), "table")
    function = lambda ids: tf.gather(table, ids)  # noqa: E731
    return reference_of(traced(function, [table], ids=("int32", ("batch", "time"))))


def large_image(arguments, work):
    w = variable([2.0], "w")

    def function(x):
        with tf.control_dependencies([tf.debugging.assert_greater(tf.shape(x)[1], 100)]):
            return tf.identity(x) * w

    return reference_of(traced(function, [w], x=("float32", ("batch", "height"))))


def square_root(arguments, work):
    w = variable([2.0], "w")
    function = lambda x: tf.sqrt(x) * w  # noqa: E731
    return reference_of(traced(function, [w], x=("float32", ("batch",))))


def some_nan(arguments, work):
    """NaN for one of two outputs columns, whatever the input."""
    w = variable([2.0, -1.0], "w")
    function = lambda x: tf.sqrt(tf.abs(x) * w)  # noqa: E731
    return reference_of(traced(function, [w], x=("float32", ("batch", 2))))


def insensitive(arguments, work):
    w, b = variable([1e-9], "w"), variable([3.0], "b")
    function = lambda x: x * 0.0 + tf.tanh(w * 1e-9) + tf.sign(b)  # noqa: E731
    return reference_of(traced(function, [w, b], x=("float32", ("batch",))))


def one_is_still(arguments, work):
    """The outputs move with one variable, and not with the other."""
    held = [variable([2.0], name) for name in ("first", "last")]

    def function(x):
        for one in held:
            x = x * (tf.sign(one) if one.name == f"{arguments['still']}:0" else one)
        return x

    return reference_of(traced(function, held, x=("float32", ("batch",))))


def stateful(arguments, work):
    """Counts its calls; each call starts from the state that was restored."""
    w, count = variable([2.0], "w"), variable(10, "count")
    function = lambda x: x * w + count.assign_add(1.0)  # noqa: E731
    return reference_of(traced(function, [w, count], x=("float32", ("batch",))))


def seeded_dropout(arguments, work):
    """As in Keras 3: stateless random numbers from a seed that each call moves on."""
    w, seed = variable([2.0], "w"), variable([1, 2], "seed", "int32")

    def function(x):
        drawn = tf.random.stateless_uniform(tf.shape(x), seed.assign_add([1, 0]))
        return x * w * tf.cast(drawn > 0.1, tf.float32)

    return reference_of(traced(function, [w, seed], x=("float32", ("batch",))))


def impossible(arguments, work):
    w = variable([2.0], "w")

    def function(text):
        return tf.io.parse_tensor(text[0], tf.float32) * w

    return reference_of(traced(function, [w], text=("string", ("batch",))))


def fused_tanh(arguments, work):
    kernel, ones = variable(np.ones((1, 1, 3, 4)), "kernel"), variable([1.0] * 4, "ones")

    def function(x):
        y = tf.nn.conv2d(x, kernel, 1, "SAME")
        y, _, _ = tf.compat.v1.nn.fused_batch_norm(
            y, ones, ones, mean=ones, variance=ones, is_training=False
        )
        return tf.tanh(y)

    return reference_of(traced(function, [kernel, ones], x=("float32", ("batch", 4, 4, 3))))


def golden(arguments, work):
    w = variable([1.0, 2.0], "w")
    model = traced(lambda x: x * w, [w], x=("float32", ("batch", 2)))
    return reference_of(model, golden=Path(arguments["file"]), atol=arguments.get("atol"))


def two_rows(arguments, work):
    """Keeps the size that it was first called with."""
    w = variable([[2.0, 2.0]] * 2, "w")
    model = traced(lambda x: x * w, [w], x=("float32", ("batch", 2)))
    return reference_of(model, golden=Path(arguments["file"]))


def arrays(arguments, work):
    import ml_dtypes

    kept = {
        "f": np.array([[1.5, np.nan]], np.float32),
        "b": np.array([1.5, 2], ml_dtypes.bfloat16),
        "s": np.array([[b"a\0", b""]], object),
        "scalar": np.array(3, np.int64),
        "text": np.array(b"x", object),
        "empty": np.zeros((0, 2), bool),
    }
    save(work / "arrays.npz", kept)
    back = load(work / "arrays.npz")
    assert list(back) == list(kept)
    for name, array in kept.items():
        assert back[name].dtype == array.dtype, name
        assert back[name].shape == array.shape, name
        assert str(back[name].tolist()) == str(array.tolist()), name
    return {"equal": True}
