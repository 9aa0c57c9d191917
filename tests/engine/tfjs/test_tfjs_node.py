"""TensorFlow.js itself runs the files, in Node; what only it shows, and what is said without it."""

from __future__ import annotations

import keras_cases
import module_cases
import numpy as np
import pytest
import tensorflow as tf
from handmade import Case, assert_equal, spec, traced, traced_model
from tfjs_running import PACKAGES, TARGET, case_of, export, in_node, needs_node, noise, run  # noqa: F401

from ckpt_action.engine.prepare.identities import skip_identities
from ckpt_action.engine.prepare.nearest import rewrite_nearest
from ckpt_action.engine.prepare.nodes import with_own_nodes
from ckpt_action.engine.prepare.training_norm import rewrite_training_norm
from ckpt_action.engine.tfjs import topology, write
from ckpt_action.engine.tfjs.lists import keep_list_items
from ckpt_action.engine.tfjs.node import node_packages
from ckpt_action.errors import CkptActionError, ExitCode
from ckpt_action.processes.environments import variables

CASES = {
    name: (keras_cases.CASES | module_cases.CASES)[name]
    for name in (
        "convolutions", "recurrent", "transformer", "masked_recurrent", "while_loop_with_branch",
        "gather_in_branch_in_nested_loops", "map_fn", "captured_constants", "awkward_names",
        "every_dtype_and_shape", "gather_nd_and_batched_gather",
    )
}  # fmt: skip


@needs_node
@pytest.mark.usefixtures("in_node")
@pytest.mark.parametrize("name", CASES)
def test_node_computes_what_the_model_does(name, tmp_path):
    case = CASES[name]()
    export(case, tmp_path)
    assert_equal(run(tmp_path, case), case.live("serving_default"))


@needs_node
@pytest.mark.usefixtures("in_node")
def test_all_kinds_of_inputs_and_outputs_travel(tmp_path):
    inputs = {
        "f": noise(2, 3), "i": np.array([[2], [-7]], "int64"), "b": np.array([True, False]),
        "s": np.array([b"one", "\u00e9\0".encode()], object), "u": np.array([3, 255], "uint8"),
        "c": (noise(2, 2) + 1j * noise(2, 2)[::-1]).astype("complex64"),
    }  # fmt: skip
    case = case_of(
        lambda m, **fed: {f"{k}_again": tf.identity(v) for k, v in fed.items()}, **inputs
    )
    export(case, tmp_path)
    found = run(tmp_path, case)
    assert_equal(found, case.live("serving_default"), exactly=True)
    assert found["s_again"].tolist() == inputs["s"].tolist()


@needs_node
@pytest.mark.usefixtures("in_node")
def test_what_ends_in_a_cast_is_read_as_numbers(tmp_path):
    """TensorFlow.js hands on the array of a boolean or an integer under another dtype."""

    def call(m, x):
        mask = x > 0.1
        return {
            "part": tf.cast(mask, tf.float32), "count": tf.cast(mask, tf.int32),
            "whole": tf.cast(tf.cast(x * 9, tf.int32), tf.float32),
        }  # fmt: skip

    case = case_of(call, x=noise(3, 4))
    export(case, tmp_path)
    assert_equal(run(tmp_path, case), case.live("serving_default"), exactly=True)


@needs_node
@pytest.mark.usefixtures("in_node")
def test_integers_that_do_not_fit_are_not_fed(tmp_path):
    case = case_of(lambda m, x: {"y": x + 1}, x=np.array([2**40], "int64"))
    export(case, tmp_path)
    with pytest.raises(ValueError, match="beyond 32 bits"):
        run(tmp_path, case)


def _two_lists(m, x):
    """Both parts of one Split are written, each into a list of its own, in a loop in a loop."""
    shape = [None, 2]
    outer = tf.TensorArray(tf.float32, 3, element_shape=shape)
    for i in tf.range(3):
        left = tf.TensorArray(tf.float32, 2, element_shape=shape)
        right = tf.TensorArray(tf.float32, 2, element_shape=shape)
        for j in tf.range(2):
            one, other = tf.split(x * m.w + tf.cast(i * 2 + j, tf.float32), 2, axis=1)
            left, right = left.write(j, one), right.write(j, other)
        outer = outer.write(i, tf.reduce_sum(left.stack() - right.stack(), 0))
    return {"y": outer.stack()}


@needs_node
@pytest.mark.usefixtures("in_node")
def test_lists_survive_the_functions_that_write_them(tmp_path):
    case = case_of(_two_lists, {"w": noise(4)}, x=noise(3, 4))
    export(case, tmp_path)
    assert_equal(run(tmp_path, case), case.live("serving_default"))


def without(*passes):
    return tuple(p for p in topology.PASSES if p not in passes)


@needs_node
@pytest.mark.usefixtures("in_node")
@pytest.mark.parametrize("name", ["recurrent", "map_fn"])
def test_without_their_pass_lists_are_lost(name, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "PASSES", without(keep_list_items))
    case = CASES[name]()
    export(case, tmp_path)
    with pytest.raises(CkptActionError, match=r"TensorFlow\.js cannot run the artifact: TypeError"):
        run(tmp_path, case)


@needs_node
@pytest.mark.usefixtures("in_node")
def test_without_its_pass_one_part_of_a_split_is_returned_twice(tmp_path, monkeypatch):
    def call(m, x):
        start = tf.split(x, 2, axis=1)
        loop = tf.while_loop(
            lambda i, a, b: i < 2,
            lambda i, a, b: (i + 1, *tf.split(tf.concat([b, a * m.w], 1), 2, axis=1)),
            (0, *start),
        )
        return {"y": loop[1] - loop[2]}

    case = case_of(call, {"w": noise(2)}, x=noise(3, 4))
    passed, failed = tmp_path / "passed", tmp_path / "failed"
    export(case, passed)
    live = case.live("serving_default")
    assert_equal(run(passed, case), live)
    skipped = [topology.give_results_nodes, keep_list_items]
    plain = tuple(p for p in without(*skipped) if p is not skip_identities)
    monkeypatch.setattr(write, "PASSES", (_skip_in_functions, *plain))
    export(case, failed)
    with pytest.raises((AssertionError, CkptActionError)):
        assert_equal(run(failed, case), live)


def _skip_in_functions(graph, keep):
    """Results straight from the ops, as a tracer without Identity nodes would leave them."""
    made = with_own_nodes(graph)
    for function in made.library.function:
        nodes = {node.name: node for node in function.node_def}
        for key, reference in list(function.ret.items()):
            node = nodes.get(reference.split(":")[0])
            while node is not None and node.op == "Identity":
                function.ret[key] = node.input[0]
                node = nodes.get(node.input[0].split(":")[0])
    return made


@needs_node
@pytest.mark.usefixtures("in_node")
def test_without_its_pass_the_normalisation_of_keras_2_is_wrong(tmp_path, monkeypatch):
    def call(m, x):
        nothing = np.empty(0, "float32")
        norm = tf.raw_ops.FusedBatchNormV3(
            x=tf.reshape(x, [1, 3, 4, 1]), scale=m.scale, offset=m.offset, mean=nothing,
            variance=nothing, is_training=True, data_format="NCHW",
        )  # fmt: skip
        return {"y": tf.reshape(norm.y, [3, 4])}

    case = case_of(call, {"scale": noise(3), "offset": noise(3)[::-1]}, x=noise(3, 4))
    passed, failed = tmp_path / "passed", tmp_path / "failed"
    export(case, passed)
    live = case.live("serving_default")
    assert_equal(run(passed, case), live)
    monkeypatch.setattr(write, "PASSES", without(rewrite_training_norm))
    monkeypatch.setattr(write, "refuse_nodes", lambda graph: ())
    export(case, failed)
    with pytest.raises((AssertionError, CkptActionError)):
        assert_equal(run(failed, case), live)


@needs_node
@pytest.mark.usefixtures("in_node")
def test_the_note_names_the_version(tmp_path):
    export(keras_cases.CASES["dense"](), tmp_path)
    (note,) = TARGET.open_artifact(tmp_path, ()).notes()
    assert note == "TensorFlow.js 4.22.0 ran the files in Node, with its JavaScript backend"


def test_without_packages_the_note_says_so(tmp_path, monkeypatch):
    monkeypatch.delenv("CKPT_ACTION_TFJS", raising=False)
    export(keras_cases.CASES["dense"](), tmp_path)
    (note,) = TARGET.open_artifact(tmp_path, ()).notes()
    assert "TensorFlow.js did not run the files" in note


def test_named_packages_that_are_not_there_are_an_error(tmp_path):
    with pytest.raises(CkptActionError, match="no @tensorflow/tfjs-core") as found:
        node_packages({"CKPT_ACTION_TFJS": str(tmp_path)})
    (problem,) = found.value.problems
    assert problem.code is ExitCode.ENVIRONMENT
    assert f"npm install --prefix {tmp_path} @tensorflow/tfjs-core" in problem.hint


def test_a_folder_is_meant_from_where_the_command_was_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert variables("keras-3", {"CKPT_ACTION_TFJS": "web"})["CKPT_ACTION_TFJS"] == str(
        tmp_path / "web"
    )
    assert variables("keras-3", {"CKPT_ACTION_TFJS": ""})["CKPT_ACTION_TFJS"] == ""
    assert "CKPT_ACTION_TFJS" not in variables("keras-3", {})


def test_packages_without_node_are_an_error(monkeypatch, tmp_path):
    for name in ("tfjs-core", "tfjs-converter", "tfjs-backend-cpu"):
        folder = tmp_path / "node_modules" / "@tensorflow" / name
        folder.mkdir(parents=True)
        (folder / "package.json").write_text("{}")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CkptActionError, match="no `node`"):
        node_packages({"CKPT_ACTION_TFJS": str(tmp_path)})


def test_nobodys_node_modules_are_searched_for(tmp_path, monkeypatch):
    """The folder that is verified may be anybody's, and loading a package runs it."""
    (tmp_path / "node_modules" / "@tensorflow" / "tfjs-core").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert node_packages({}) is None
    assert PACKAGES.name == "browser"


def _nearest(x):
    resize = tf.raw_ops.ResizeNearestNeighbor
    return {
        "plain": resize(images=x, size=[224, 2]),
        "centred": resize(images=x, size=[224, 2], half_pixel_centers=True),
        "aligned": resize(images=x, size=[224, 2], align_corners=True),
    }


@needs_node
@pytest.mark.usefixtures("in_node")
def test_the_nearest_pixel_is_tensorflows(tmp_path, monkeypatch):
    image = np.arange(960 * 2, dtype="float32").reshape(1, 960, 2, 1)
    signature = traced(_nearest, spec("x", "float32", 1, "h", 2, 1))
    inputs = {"serving_default": {"x": image}}
    case = Case(model=traced_model(tf.Module(), signature), inputs=inputs, keep=signature)
    export(case, tmp_path / "ours")
    wanted = case.live("serving_default")
    found = run(tmp_path / "ours", case)
    assert {name for name in wanted if not np.array_equal(found[name], wanted[name])} == set()
    without = tuple(p for p in topology.PASSES if p is not rewrite_nearest)
    monkeypatch.setattr(write, "PASSES", without)
    export(case, tmp_path / "theirs")
    found = run(tmp_path / "theirs", case)
    assert not np.array_equal(found["centred"], wanted["centred"])
