"""SavedModels that TensorFlow's own writer had no part in: what they say, and who can read it."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras_cases
import module_cases
import numpy as np
import pytest
import tensorflow as tf
from handmade import Case, assert_equal, spec, traced, traced_model
from module_cases import Weights
from tensorflow.core.protobuf import saved_model_pb2, trackable_object_graph_pb2

from ckpt_action.engine.records import TracedModel
from ckpt_action.engine.saved_model import direct, flat_module, internals
from ckpt_action.engine.saved_model.tree import variable_tree
from ckpt_action.engine.targets import saved_model
from ckpt_action.errors import CkptActionError, ExitCode, Severity

X = spec("x", "float32", "n", 4)
ROWS = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
CASES: dict[str, Any] = {}


def case(make: Any) -> Any:
    CASES[make.__name__] = make
    return make


def of(owner: Any, *signatures: Any, **inputs: Any) -> Case:
    return Case(
        model=traced_model(owner, *signatures),
        inputs={s.declared.name: inputs or {"x": ROWS} for s in signatures},
        keep=owner,
    )


@case
def no_variables() -> Case:
    return of(tf.Module(), traced(lambda x: {"y": tf.nn.relu(x)}, X))


@case
def no_variables_but_constants() -> Case:
    m = tf.Module()
    m.c, m.half = tf.constant([[1.0], [2], [3], [4]]), tf.constant(0.5, tf.bfloat16)
    m.words = tf.constant("word")
    return of(
        m,
        traced(
            lambda x: {"y": x @ m.c, "half": m.half + 1, "word": tf.strings.join([m.words, ["s"]])},
            X,
        ),
    )


@case
def equal_functions_of_other_variables() -> Case:
    """The bodies are the same: only what they are bound to tells them apart."""
    m = tf.Module()
    m.one, m.other = tf.Variable(1.0, name="v"), tf.Variable(2.0, name="v")
    return of(
        m,
        traced(lambda x: {"y": x * m.one}, X, name="one"),
        traced(lambda x: {"y": x * m.other}, X, name="other"),
    )


@case
def shared_variables_and_inputs() -> Case:
    m = Weights()
    return of(
        m,
        traced(lambda x: {"y": x @ m.w + m.b}, X),
        traced(lambda x: {"y": x @ m.w, "z": m.e[:2]}, X, name="z.y"),
    )


@case
def frozen_variables() -> Case:
    m = tf.Module()
    m.still = tf.Variable(2.0, trainable=False, name="still")
    m.mean = tf.Variable(
        3.0, aggregation=tf.VariableAggregation.MEAN, name="mean",
        synchronization=tf.VariableSynchronization.ON_READ,
    )  # fmt: skip
    return of(m, traced(lambda x: {"y": x * m.still + m.mean}, X))


@case
def open_shapes() -> Case:
    m = tf.Module()
    m.any = tf.Variable(np.ones((2, 4), "float32"), shape=tf.TensorShape(None), name="any")
    m.rows = tf.Variable(np.ones((5, 4), "float32"), shape=[None, 4], name="rows")
    return of(m, traced(lambda x: {"y": tf.reduce_sum(m.any) * x + tf.reduce_sum(m.rows, 0)}, X))


@case
def awkward_names() -> Case:
    m = tf.Module()
    m.v = [tf.Variable(float(n), name=name) for n, name in enumerate("abcd")]
    signature = traced(
        lambda x: {"StatefulPartitionedCall": x + m.v[0], "b": m.v[1] + m.v[2] * m.v[3]},
        X,
        name="saver_filename",
    )
    model = traced_model(m, signature)
    paths = ["saver_filename_x", "größe 1/_b", "größe_1/_b", "NoOp"]
    variables = tuple(replace(v, path=p) for v, p in zip(model.variables, paths, strict=True))
    return Case(
        model=replace(model, variables=variables), inputs={"saver_filename": {"x": ROWS}}, keep=m
    )


@case
def stateful() -> Case:
    m = Weights()
    m.n = tf.Variable(0.0, name="calls")
    return of(m, traced(lambda x: {"y": x @ m.w + m.n.assign_add(1.0)}, X))


ALL = CASES | module_cases.CASES


def read(folder: Path) -> Any:
    (meta,) = saved_model_pb2.SavedModel.FromString(
        (folder / "saved_model.pb").read_bytes()
    ).meta_graphs
    return meta


def tracked(folder: Path) -> Any:
    reader = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
    content = reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH")
    return trackable_object_graph_pb2.TrackableObjectGraph.FromString(content)


def places(nodes: Any, number: int = 0, place: str = "") -> Iterator[tuple[str, int]]:
    yield place, number
    for child in nodes[number].children:
        if child.local_name != "resources":  # an empty list, which ours does not have
            yield from places(nodes, child.node_id, f"{place}/{child.local_name}")


def described(folder: Path) -> dict[str, Any]:
    """Everything that the saved objects say, without numbers and names inside the file."""
    graph, checkpoint = read(folder).object_graph_def, tracked(folder)
    names: dict[int, str] = {}
    found: dict[str, Any] = {}
    everything = list(places(graph.nodes))
    for place, number in everything:
        names[number] = min(place, names.get(number, place))
    for place, number in everything:
        node = graph.nodes[number]
        function = graph.concrete_functions[node.bare_concrete_function.concrete_function_name]
        bound = [names[i] for i in function.bound_inputs]
        waits = sorted((d.local_name, names[d.node_id]) for d in node.dependencies)
        for message in (node, function):
            for field in ("children", "dependencies", "bound_inputs"):
                if field in message.DESCRIPTOR.fields_by_name:
                    message.ClearField(field)
        if node.HasField("bare_concrete_function"):
            node.bare_concrete_function.concrete_function_name = ""
        if node.HasField("variable"):
            node.variable.name = ""
        if node.HasField("constant"):
            node.constant.operation = ""
        found[place] = (str(node), str(function), bound, waits)
    for place, number in places(checkpoint.nodes):
        node = checkpoint.nodes[number]
        keys = [(a.name, a.checkpoint_key) for a in node.attributes]
        found[place] += (keys, node.has_checkpoint_values.value)
    return found


@pytest.mark.parametrize("name", [n for n in CASES if n != "awkward_names"])
def test_the_objects_and_signatures_are_those_that_tensorflow_writes(name, tmp_path):
    model = CASES[name]().model
    saved_model.export(model, tmp_path / "ours", {})
    flat_module.write_module(model, variable_tree(model.variables)[0], tmp_path / "theirs")
    ours, theirs = described(tmp_path / "ours"), described(tmp_path / "theirs")
    assert ours.keys() == theirs.keys()
    for place, said in theirs.items():
        assert ours[place] == said, place
    mine, yours = read(tmp_path / "ours"), read(tmp_path / "theirs")
    assert dict(mine.signature_def) == dict(yours.signature_def)
    assert dict(mine.collection_def) == dict(yours.collection_def)
    functions = {f.signature.name: f for f in yours.graph_def.library.function}
    assert all(f == functions[f.signature.name] for f in mine.graph_def.library.function)
    mine.meta_info_def.stripped_op_list.Clear(), yours.meta_info_def.stripped_op_list.Clear()
    assert mine.meta_info_def == yours.meta_info_def


@pytest.mark.parametrize("name", ALL)
def test_it_is_run_by_loader_and_session_alike(name, tmp_path):
    case = ALL[name]()
    written = saved_model.export(case.model, tmp_path, {})
    assert written.notes == ()
    live = {signature: case.live(signature) for signature in case.inputs}
    if name == "stateful":
        case.keep.n.assign(0)
    loaded = tf.saved_model.load(str(tmp_path))
    for signature, feeds in case.inputs.items():
        outputs = loaded.signatures[signature](**{k: tf.constant(v) for k, v in feeds.items()})
        assert_equal({k: v.numpy() for k, v in outputs.items()}, live[signature])
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(tmp_path))
        for signature, feeds in case.inputs.items():
            definition = meta.signature_def[signature]
            fed = {definition.inputs[k].name: v for k, v in feeds.items()}
            fetched = {k: info.name for k, info in definition.outputs.items()}
            assert_equal(session.run(fetched, fed), live[signature])


@pytest.mark.parametrize("name", ["shared_variables_and_inputs", "every_dtype_and_shape"])
def test_what_is_loaded_can_be_saved_again(name, tmp_path):
    """By `tf.saved_model.save` and by the session's own ops."""
    case = ALL[name]()
    signature, feeds = next(iter(case.inputs.items()))
    live = case.live(signature)
    saved_model.export(case.model, tmp_path / "first", {})
    loaded = tf.saved_model.load(str(tmp_path / "first"))
    tf.saved_model.save(loaded, str(tmp_path / "again"), signatures=loaded.signatures)
    again = tf.saved_model.load(str(tmp_path / "again")).signatures[signature]
    assert_equal({k: v.numpy() for k, v in again(**feeds).items()}, live)
    values = str(tmp_path / "first" / "variables" / "variables")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(tmp_path / "first"))
        saver = tf.compat.v1.train.Saver(saver_def=meta.saver_def)
        stored = saver.save(session, str(tmp_path / "variables"), write_meta_graph=False)
    first, second = tf.train.load_checkpoint(values), tf.train.load_checkpoint(stored)
    keys = first.get_variable_to_shape_map()
    assert keys == second.get_variable_to_shape_map()
    for key in keys:
        one, other = np.asarray(first.get_tensor(key)), np.asarray(second.get_tensor(key))
        assert one.dtype == other.dtype
        assert one.tolist() == other.tolist()


def test_variables_have_the_names_of_their_paths(tmp_path):
    model = keras_cases.dense().model
    saved_model.export(model, tmp_path, {})
    loaded = tf.saved_model.load(str(tmp_path))
    found = {v.name: v.numpy() for v in loaded.signatures["serving_default"].variables}
    assert set(found) == {f"{v.path}:0" for v in model.variables}
    for variable in model.variables:
        assert np.array_equal(found[f"{variable.path}:0"], variable.variable.numpy())


def without_tables(monkeypatch) -> TracedModel:
    return CASES["shared_variables_and_inputs"]().model


def with_a_table(monkeypatch) -> TracedModel:
    m = Weights()
    entries = tf.lookup.KeyValueTensorInitializer(["a"], [1], value_dtype=tf.int64)
    m.table = tf.lookup.StaticHashTable(entries, 0)
    signature = traced(lambda x: {"y": x @ m.w, "n": m.table.lookup(tf.constant(["a"]))}, X)
    return traced_model(m, signature, resources=(m.table,))


def by_an_untested_version(monkeypatch) -> TracedModel:
    monkeypatch.setattr(tf, "__version__", "2.99.0")
    return without_tables(monkeypatch)


def by_one_that_lacks_something(monkeypatch) -> TracedModel:
    module = "tensorflow.python.saved_model.pywrap_saved_model.fingerprinting"
    monkeypatch.setitem(sys.modules, module, None)
    return without_tables(monkeypatch)


def with_variables_of_another_kind(monkeypatch) -> TracedModel:
    with tf.distribute.MirroredStrategy(["/cpu:0"]).scope():
        m = Weights()
    return traced_model(m, traced(lambda x: {"y": x @ m.w}, X))


def with_a_cached_variable(monkeypatch) -> TracedModel:
    """What TensorFlow marks as the kept value of a variable; the file has to read the variable."""
    m = Weights()
    m.kept = m.w.read_value()
    m.kept._cached_variable = weakref.ref(m.w)
    return traced_model(m, traced(lambda x: {"y": x @ m.kept + tf.reduce_sum(m.w)}, X))


def with_inputs_in_another_order(monkeypatch) -> TracedModel:
    m, other = Weights(), spec("b", "float32")
    signature = traced(lambda **i: {"y": i["x"] @ m.w * i["b"]}, X, other)
    specs = [tf.TensorSpec([None, 4], name="x"), tf.TensorSpec([], name="b")]
    function = tf.function(lambda x, b: {"y": x @ m.w * b}).get_concrete_function(*specs)
    return traced_model(m, replace(signature, function=function))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (with_a_table, "lookup tables"),
        (by_an_untested_version, "not tested with TensorFlow 2.99.0"),
        (by_one_that_lacks_something, "lacks what it needs"),
        (with_variables_of_another_kind, "its variable w is a "),
        (with_a_cached_variable, "which is none of its variables"),
        (with_inputs_in_another_order, "inputs that are not in order"),
    ],
)
def test_tensorflow_writes_the_rest_and_that_is_said(make, reason, monkeypatch, tmp_path):
    model = make(monkeypatch)
    written = saved_model.export(model, tmp_path, {})
    (note,) = written.notes
    assert (note.severity, note.code) == (Severity.NOTE, ExitCode.OK)
    assert "`tf.saved_model.save` wrote" in note.message
    assert reason in note.message
    functions = read(tmp_path).graph_def.library.function
    assert any("traced_restore" in f.signature.name for f in functions)
    signature = model.signatures[0]
    feeds = {i.name: ROWS if i.name == "x" else 2.0 for i in signature.record.inputs}
    live = signature.function(**{k: tf.constant(v) for k, v in feeds.items()})
    found = saved_model.open_artifact(tmp_path, ()).run(signature.declared.name, feeds)
    assert_equal(found, {k: v.numpy() for k, v in live.items()})


def test_other_machines_leave_it_to_tensorflow(monkeypatch):
    monkeypatch.setattr(sys, "byteorder", "big")
    with pytest.raises(internals.Indirect, match="turned round"):
        internals.internals_of_tensorflow()


def test_constants_beyond_a_protocol_buffer_are_refused_before_the_first_byte(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(direct, "LIMIT", 15)
    with pytest.raises(CkptActionError, match="no reader takes") as caught:
        saved_model.export(module_cases.CASES["captured_constants"]().model, tmp_path, {})
    assert caught.value.problems[0].hint
    assert list(tmp_path.iterdir()) == []
