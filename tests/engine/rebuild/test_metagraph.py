"""TF1 graphs: cut as declared, run with the values of the session that saved them."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from cases import HERE, as_restored, make_job, problem_of, problems_of, run, tf

from ckpt_action.checkpoint.identify import identify
from ckpt_action.checkpoint.records import Kind
from ckpt_action.config.records import InputSpec, OutputSpec, Restore, Signature
from ckpt_action.engine.rebuild.rebuild import rebuild
from ckpt_action.engine.restore import restore
from ckpt_action.engine.trace.trace import trace
from ckpt_action.errors import ExitCode, Severity

X = InputSpec(name="x", dtype="float32", shape=("batch", 8), tensor="Placeholder:0")
WORDS = InputSpec(name="words", dtype="string", shape=("batch",), tensor="words")
Y, Z = OutputSpec(name="y", tensor="y:0"), OutputSpec(name="z", tensor="z")
WHOLE = Signature(
    name="serving_default",
    inputs=(X, WORDS),
    outputs=(Y, Z),
    constants={"keep_prob:0": 1.0, "is_training": False},
)


@pytest.fixture(scope="module", params=["references", "resources"])
def checkpoint(request, tmp_path_factory):
    """A prefix that a TF1 session saved in a process of its own, with `golden.npz` beside it."""
    folder = tmp_path_factory.mktemp(request.param)
    subprocess.run(
        [sys.executable, str(HERE / "save_tf1.py"), str(folder), request.param],
        check=True,
        capture_output=True,
        timeout=300,
    )
    return folder / "model.ckpt"


def job(checkpoint, *signatures, **changes):
    changed = [dataclasses.replace(s, **changes) for s in signatures]
    return make_job(None, *changed, path=checkpoint, kind=Kind.NAME_BASED, folder=checkpoint.parent)


def problems(checkpoint, *signatures, **changes):
    return problems_of(rebuild, job(checkpoint, *signatures, **changes))


def with_values(checkpoint, *signatures):
    """The job's model with the values of the file under the same names, traced."""
    model = rebuild(job(checkpoint, *signatures))
    reader = tf.train.load_checkpoint(str(checkpoint))
    for name, variable in model.model.graph_variables.items():
        assert variable.name == f"{name}:0"
        variable.assign(reader.get_tensor(name))
    return trace(as_restored(model), "m", "no code")


def test_the_outputs_are_those_of_the_session(checkpoint):
    model = with_values(checkpoint, WHOLE)
    golden = np.load(checkpoint.parent / "golden.npz")
    found = run(model, x=golden["x"], words=["a", "b", "q"])
    np.testing.assert_allclose(found["y"], golden["y"], rtol=1e-6)
    np.testing.assert_allclose(found["z"], golden["z"], rtol=1e-6)
    assert len(model.resources) == 1
    assert {v.variable.name for v in model.variables} == {
        "Variable:0",
        "dense/kernel:0",
        "embedding:0",
    }


def test_the_kinds_of_graph_that_these_are(checkpoint):
    """The graphs hold what the cutting is for; else the test above shows nothing."""
    meta = tf.compat.v1.MetaGraphDef.FromString(
        checkpoint.with_name("model.ckpt.meta").read_bytes()
    )
    ops = {node.op for node in meta.graph_def.node}
    assert {"Switch", "Merge", "Enter", "Exit", "HashTableV2"} <= ops
    assert ({"VariableV2", "RefSwitch"} <= ops) == (checkpoint.parent.name[:10] == "references")
    assert {node.device for node in meta.graph_def.node} == {"/job:worker/task:3/device:GPU:1"}


def test_a_signature_reads_only_the_variables_that_it_needs(checkpoint):
    model = with_values(checkpoint, dataclasses.replace(WHOLE, inputs=(X,), outputs=(Y,)))
    assert len(model.variables) == 2
    assert model.resources == ()


def test_variables_that_no_output_reads_are_named(checkpoint):
    model = rebuild(job(checkpoint, WHOLE, inputs=(X,), outputs=(Y,))).model
    assert "embedding" in model.unread
    assert not model.unread & set(model.graph_variables)


@pytest.fixture
def parts(checkpoint):
    return checkpoint.parent / "parts" / "model.ckpt"


def test_parts_and_signatures_of_the_graph_itself(parts):
    model = rebuild(job(parts))
    (note,) = model.problems
    assert note.severity is Severity.NOTE
    assert "t_in = x:0, out = y:0" in note.message
    restored = restore(model, identify(parts), Restore())
    assert restored.binding.bound == 3
    golden = np.load(parts.parent / "golden.npz")
    found = run(trace(restored, "m", "no code"), name="predict", t_in=golden["x"])
    np.testing.assert_allclose(found["out"], golden["y"], rtol=1e-6)


def test_variables_that_nothing_reads_are_ignored_and_named(parts):
    binding = restore(rebuild(job(parts)), identify(parts), Restore()).binding
    assert sum(binding.ignored.values()) == len(rebuild(job(parts)).model.unread) > 6
    (note,) = binding.notes
    assert note.startswith(f"{sum(binding.ignored.values())} variables of the graph are read by no")
    assert "big/kernel/part_0/Adam" in note


@pytest.mark.parametrize("broken", ["begin", "shape", "missing"])
def test_parts_that_do_not_cover_the_value_are_refused(parts, broken):
    model = rebuild(job(parts))
    first = model.model.parts["big/kernel/part_0"]
    if broken == "missing":
        del model.model.parts["big/kernel/part_0"]
    else:
        changed = dataclasses.replace(first, **{broken: (1, 0) if broken == "begin" else (8, 4)})
        model.model.parts["big/kernel/part_0"] = changed
    assert problems_of(restore, model, identify(parts), Restore())


def test_a_saved_model_of_it_runs_from_its_files(checkpoint, tmp_path):
    model = with_values(checkpoint, WHOLE)
    module = tf.Module()
    module.all = [[v.variable for v in model.variables], list(model.resources)]
    function = model.signatures[0].function
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": function})
    golden = np.load(checkpoint.parent / "golden.npz")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(tmp_path))
        signature = meta.signature_def["serving_default"]
        found = session.run(
            signature.outputs["z"].name,
            {
                signature.inputs["x"].name: golden["x"],
                signature.inputs["words"].name: ["a", "b", "q"],
            },
        )
    np.testing.assert_allclose(found, golden["z"], rtol=1e-6)


def test_a_shape_that_the_graph_refuses(checkpoint):
    wide = dataclasses.replace(X, shape=("batch", 9))
    model = rebuild(job(checkpoint, dataclasses.replace(WHOLE, inputs=(wide, WORDS))))
    problem = problem_of(trace, as_restored(model), "m", "no code")
    assert problem.code is ExitCode.SIGNATURE
    assert "cut as declared" in problem.message


def test_undeclared_signatures_come_with_candidates(checkpoint):
    (problem,) = problems(checkpoint)
    assert problem.code is ExitCode.SIGNATURE
    for name in ("Placeholder:0", "keep_prob:0", "words:0", "y:0", "z:0"):
        assert name in problem.hint
    assert "save/" not in problem.hint
    assert "Adam" not in problem.hint


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({"outputs": (OutputSpec(name="y", tensor="yy:0"),)}, "no tensor yy:0", "y:0"),
        ({"outputs": (OutputSpec(name="y"),)}, "does not name a tensor", "tensor:0"),
        ({"outputs": ()}, "declares no outputs", "outputs ="),
        ({"inputs": (WORDS,)}, "need the placeholder Placeholder:0", "input"),
        ({"constants": {"is_training": False}}, "placeholder keep_prob:0", '"keep_prob:0" ='),
        (
            {"inputs": (dataclasses.replace(X, dtype="float64"), WORDS)},
            "declared float64; the graph's Placeholder:0 is float32",
            "float32",
        ),
        ({"outputs": (OutputSpec(name="s", tensor="bump"),)}, "change the variable", "before"),
    ],
)
def test_what_does_not_fit_the_graph(checkpoint, changes, message, hint):
    found = problems(checkpoint, WHOLE, **changes)
    errors = [p for p in found if p.severity is Severity.ERROR]
    assert any(message in p.message and hint in p.hint for p in errors)
    assert all(p.code is ExitCode.SIGNATURE for p in errors)


def test_a_switch_that_nobody_feeds_is_refused_with_what_to_declare(checkpoint):
    (problem,) = problems(checkpoint, WHOLE, constants={"keep_prob": 1.0})
    assert problem.severity is Severity.ERROR
    assert '{ "is_training:0" = false }' in problem.hint


def test_a_missing_and_a_damaged_meta(checkpoint, tmp_path):
    (problem,) = problems(tmp_path / "model.ckpt", WHOLE)
    assert problem.code is ExitCode.CONFIG
    (tmp_path / "model.ckpt.meta").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    (problem,) = problems(tmp_path / "model.ckpt", WHOLE)
    assert problem.code is ExitCode.CHECKPOINT
    assert "git lfs pull" in problem.hint


def test_an_op_that_this_tensorflow_does_not_have(checkpoint, tmp_path):
    data = checkpoint.with_name("model.ckpt.meta").read_bytes()
    meta = tf.compat.v1.MetaGraphDef.FromString(data)
    (node,) = (n for n in meta.graph_def.node if n.name == "y")
    node.op = "OurSoftmax"
    (tmp_path / "model.ckpt.meta").write_bytes(meta.SerializeToString())
    (problem,) = (
        p for p in problems(tmp_path / "model.ckpt", WHOLE) if p.severity is Severity.ERROR
    )
    assert problem.code is ExitCode.ENVIRONMENT
    assert "OurSoftmax" in problem.message
    assert "op-libraries" in problem.hint
