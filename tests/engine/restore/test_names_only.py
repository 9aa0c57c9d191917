"""Checkpoints of TF1, which know variables by their names alone."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from restoring import fresh, refusal, restored

from ckpt_action.checkpoint.discover import discover
from ckpt_action.checkpoint.identify import identify
from ckpt_action.checkpoint.inspect import summarize
from ckpt_action.checkpoint.records import Kind, Role
from ckpt_action.errors import CkptActionError

SHAPES = {"a/kernel": (3, 2), "a/bias": (2,), "b/kernel": (2, 2)}


class Named(tf.Module):
    def __init__(self, *names):
        super().__init__()
        self.held = [tf.Variable(tf.zeros(SHAPES[n]), name=n) for n in names or SHAPES]


def saved(path, *, scope="", more=None):
    """Writes SHAPES below `scope`, filled with 0, 1, 2, ..., and `more`: name to shape."""
    shapes = {scope + name: shape for name, shape in SHAPES.items()} | (more or {})
    values = [tf.fill(shape, float(count)) for count, shape in enumerate(shapes.values())]
    tf.raw_ops.SaveV2(
        prefix=str(path),
        tensor_names=list(shapes),
        shape_and_slices=[""] * len(shapes),
        tensors=values,
    )
    return path


def first(model):
    return [float(np.ravel(v.numpy())[0]) for v in model.held]


def test_each_variable_takes_the_value_of_its_name(tmp_path):
    model = Named()
    restored(model, saved(tmp_path / "ck"))
    assert first(model) == [0.0, 1.0, 2.0]


def test_a_scope_too_much_or_too_little_is_told(tmp_path):
    model = Named()
    found = restored(model, saved(tmp_path / "ck", scope="sequential/"))
    assert first(model) == [0.0, 1.0, 2.0]
    assert "3 names agree but for a scope: sequential/a/kernel for" in found.binding.notes[0]
    fresh()
    dense = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="a")], name="net")
    restored(dense, saved(tmp_path / "bare"), allow_unused=("b/kernel",))
    assert dense.weights[1].numpy().tolist() == [1.0, 1.0]


@pytest.mark.parametrize("names", [("Variable", "Variable_1", "Variable_2"), tuple(SHAPES)])
def test_variables_without_names(tmp_path, names):
    tf.raw_ops.SaveV2(
        prefix=str(tmp_path / "ck"),
        tensor_names=list(names),
        shape_and_slices=[""] * 3,
        tensors=[tf.ones(shape) for shape in SHAPES.values()],
    )
    model = Named()
    model.held = [tf.Variable(tf.zeros(shape)) for shape in SHAPES.values()]
    problem = refusal(model, tmp_path / "ck")
    assert "3 variables of the model have none: TensorFlow calls each" in problem.message
    assert "name=" in problem.hint
    for name, shape in zip(names, SHAPES.values(), strict=True):
        assert f"{name} {list(shape)}" in problem.hint


def test_two_scopes_that_fit_are_refused_until_one_is_the_root(tmp_path):
    other = {f"target/{name}": shape for name, shape in SHAPES.items()}
    file = saved(tmp_path / "ck", scope="online/", more=other)
    assert "not clear which value" in refusal(Named(), file).message
    model = Named()
    found = restored(model, file, root="target")
    assert first(model) == [3.0, 4.0, 5.0]
    assert found.binding.root == "target"
    assert "no name begins with 'offline/'" in refusal(Named(), file, root="offline").message


def slots(*names, of=tuple(SHAPES), below=""):
    return {f"{below}{variable}/{name}": SHAPES[variable] for variable in of for name in names}


@pytest.mark.parametrize(
    "state",
    [
        slots("Adam", "Adam_1") | {"beta1_power": (), "beta2_power": ()},
        slots("adam_m", "adam_v"),
        slots("Momentum", of=["a/kernel"]),  # the others were frozen
        slots("Adam", "Adam_1", below="train/") | {"train/beta1_power": ()},
        slots("Yogi", "Yogi_1"),
        slots("ExponentialMovingAverage"),
        {"a/kernel_slot_vr": (3,), "a/kernel_slot_vc": (2,), "a/bias_slot_v": (2,)},  # T5
        {"a/kernel/Adafactor": (3,), "a/kernel/Adafactor_1": (2,), "a/bias/Adafactor": (2,)},
    ],
)
def test_the_state_of_an_optimizer_is_left_aside(state, tmp_path):
    found = restored(Named(), saved(tmp_path / "ck", more=state))
    assert found.binding.ignored == {"optimizer": len(state)}


def test_a_value_below_a_variable_is_no_slot_for_its_shape_alone(tmp_path):
    """A dropped layer `a/kernel/gate` has the shape of `a/kernel`."""
    file = saved(tmp_path / "ck", more=slots("gate", of=["a/kernel"]))
    problem = refusal(Named(), file)
    assert any("a/kernel/gate" in line for line in problem.details)
    assert restored(Named(), file, allow_unused=("*/gate",))


def test_the_v1_format(tmp_path):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for count, (name, shape) in enumerate(SHAPES.items()):
            tf.compat.v1.get_variable(name, initializer=tf.fill(shape, float(count)))
        tf.compat.v1.train.get_or_create_global_step()
        session.run(tf.compat.v1.global_variables_initializer())
        saver = tf.compat.v1.train.Saver(write_version=tf.compat.v1.train.SaverDef.V1)
        saver.save(session, str(tmp_path / "model.ckpt"))
    files = identify(tmp_path / "model.ckpt")
    assert files.kind is Kind.TF1_V1
    assert [file.name for file in files.files] == ["model.ckpt", "model.ckpt.meta"]
    entries = {entry.key: entry for entry in summarize(files).entries}
    assert {k: e.shape for k, e in entries.items() if e.role is Role.MODEL} == SHAPES
    assert entries["global_step"].role is Role.COUNTER
    assert entries["a/kernel"].bytes == 24
    model = Named()
    restored(model, tmp_path / "model.ckpt")
    assert first(model) == [0.0, 1.0, 2.0]


def test_the_v1_format_in_several_files(tmp_path):
    """As a Saver writes it for two devices; every name that a person may use leads to it."""
    graph, devices = tf.Graph(), tf.compat.v1.ConfigProto(device_count={"CPU": 2})
    with graph.as_default(), tf.compat.v1.Session(config=devices) as session:
        for count, (name, shape) in enumerate(SHAPES.items()):
            with tf.device(f"/cpu:{count % 2}"):
                tf.compat.v1.get_variable(name, initializer=tf.fill(shape, float(count)))
        session.run(tf.compat.v1.global_variables_initializer())
        saver = tf.compat.v1.train.Saver(write_version=tf.compat.v1.train.SaverDef.V1, sharded=True)
        for step in (7, 20):
            saver.save(session, str(tmp_path / "model.ckpt"), global_step=step)
    prefix = tmp_path / "model.ckpt-20"
    names = ["model.ckpt-20", "model.ckpt-20.meta", "model.ckpt-20-00001-of-00002"]
    for pattern in (*names, "model.ckpt-20-?????-of-00002", "model.ckpt-*", "."):
        (files,) = discover((pattern,), tmp_path, "latest")[0]
        assert (files.path, files.step, files.kind) == (prefix, 20, Kind.TF1_V1)
        parts = [file.name.removeprefix(prefix.name) for file in files.files]
        assert parts == ["-00000-of-00002", "-00001-of-00002", ".meta"]
    assert {entry.key for entry in summarize(files).entries} == set(SHAPES)
    model = Named()
    restored(model, prefix)
    assert first(model) == [0.0, 1.0, 2.0]
    (tmp_path / "model.ckpt-20-00000-of-00002").unlink()
    with pytest.raises(CkptActionError, match="00000-of-00002 is missing"):
        identify(prefix)
