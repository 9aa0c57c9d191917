"""Artifacts that are right on ordinary inputs and wrong on negative or large ones."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from handmade import spec, traced, traced_model

from ckpt_action.codec import to_data
from ckpt_action.config.records import Verify
from ckpt_action.engine import verify_job
from ckpt_action.engine.onnx_graph import write as writing
from ckpt_action.engine.onnx_graph.floor_division import rewrite_floor_division
from ckpt_action.engine.prove.artifact.edge_problems import edge_problems
from ckpt_action.engine.prove.inputs.probe_file import load_probes, save_probes
from ckpt_action.engine.prove.inputs.probes import Probe, draw, recipes
from ckpt_action.engine.prove.model.edges import edge_probes
from ckpt_action.engine.targets import registry
from ckpt_action.errors import Severity
from ckpt_action.processes.requests import VerifyRequest


def model_and_edges(call, dtype: str, golden: bool = False):
    signature = traced(lambda x: {"y": call(x)}, spec("x", dtype, "n", 4))
    model = traced_model(tf.Module(), signature)
    recipe = next(iter(recipes(signature.record)))
    (probe,) = draw(signature.record, recipe, samples=1, seed=0)
    if golden:
        probe = Probe(signature=probe.signature, label="golden", inputs=probe.inputs, golden={})
    return model, edge_probes(model, (probe,), 0)


def labels(probes) -> list[str]:
    return [p.label.partition(",")[0] for p in probes]


def differences(model, edges, folder, max_error=1e-4) -> dict[str, Severity]:
    target = registry()["onnx"]
    target.export(model, folder, {})
    artifact = target.open_artifact(folder, ())
    return {
        p.label.partition(",")[0]: found.severity
        for p in edges
        for found in edge_problems("it", p, artifact.run(p.signature, p.inputs), max_error)
    }


def test_a_division_that_cuts_is_seen(monkeypatch, tmp_path):
    passes = tuple(p for p in writing._PASSES if p is not rewrite_floor_division)
    model, edges = model_and_edges(lambda x: tf.cast(x // 3, tf.float32), "int64")
    assert labels(edges) == [
        "small negative integers", "integers up to 2**31", "integers beyond 2**31",
    ]  # fmt: skip
    assert differences(model, edges, tmp_path) == {}
    monkeypatch.setattr(writing, "_PASSES", passes)
    assert differences(model, edges, tmp_path)["small negative integers"] is Severity.ERROR


def test_a_model_that_draws_for_nothing_has_edges_and_one_that_draws_has_none():
    noise = lambda x: tf.random.normal(tf.shape(x))  # noqa: E731
    assert labels(model_and_edges(lambda x: x + 0.0 * noise(x), "float32")[1]) == [
        "floats up to ±100", "floats up to ±1000",
    ]  # fmt: skip
    assert labels(model_and_edges(lambda x: x + noise(x), "float32")[1]) == []


def test_a_golden_file_makes_it_a_warning(monkeypatch, tmp_path):
    passes = tuple(p for p in writing._PASSES if p is not rewrite_floor_division)
    monkeypatch.setattr(writing, "_PASSES", passes)
    model, edges = model_and_edges(lambda x: tf.cast(x // 3, tf.float32), "int32", golden=True)
    assert set(differences(model, edges, tmp_path).values()) == {Severity.WARNING}


@pytest.mark.parametrize(("golden", "passed"), [(True, None), (False, False)])
def test_a_warning_on_the_edges_leaves_them_open_and_an_error_fails(
    golden, passed, monkeypatch, tmp_path
):
    passes = tuple(p for p in writing._PASSES if p is not rewrite_floor_division)
    monkeypatch.setattr(writing, "_PASSES", passes)
    model, edges = model_and_edges(lambda x: tf.cast(x // 3, tf.float32), "int32", golden=golden)
    (tmp_path / "onnx").mkdir()
    registry()["onnx"].export(model, tmp_path / "onnx", {})
    save_probes(tmp_path / "probes.npz", edges)
    request = VerifyRequest(
        format="onnx",
        name="onnx",
        folder=tmp_path / "onnx",
        signatures=(model.signatures[0].record,),
        variables={},
        payloads={},
        verify=Verify(),
        probes=tmp_path / "probes.npz",
    )
    result = verify_job.run(to_data(request), tmp_path)
    (proof,) = (p for p in result.proofs if p.name == "edges")
    assert proof.passed is passed
    assert [p.is_error for p in result.problems] == [not golden] * len(result.problems) != []


def test_an_overflow_is_seen_whatever_was_quantised():
    _, edges = model_and_edges(tf.math.softplus, "float32")
    assert labels(edges) == ["floats up to ±100", "floats up to ±1000"]
    with np.errstate(over="ignore"):
        outputs = [{"y": np.log1p(np.exp(p.inputs["x"]))} for p in edges]
    for max_error in (None, 0.1):
        found = [
            problem.severity
            for probe, output in zip(edges, outputs, strict=True)
            for problem in edge_problems("it", probe, output, max_error)
        ]
        assert found == [Severity.ERROR, Severity.WARNING]


def test_rounding_that_grows_with_the_values_passes():
    _, edges = model_and_edges(lambda x: tf.reduce_sum(x * x, axis=1), "float32")
    for probe in edges:
        wanted = probe.reference["y"]
        assert not edge_problems("it", probe, {"y": wanted * np.float32(1.0005)}, None)
        assert edge_problems("it", probe, {"y": wanted * np.float32(1.05)}, None)
        assert not edge_problems("it", probe, {"y": wanted * np.float32(1.02)}, 0.05)


def test_what_was_quantised_may_not_be_far_off_in_most_values():
    _, edges = model_and_edges(tf.identity, "float32")
    for probe in edges:
        wanted = probe.reference["y"]
        few = wanted.copy()
        few.reshape(-1)[0] += np.abs(wanted).max()
        assert not edge_problems("it", probe, {"y": few}, 0.05)
        (problem,) = edge_problems("it", probe, {"y": np.clip(wanted, -20, 20)}, 0.05)
        assert problem.severity is Severity.WARNING
        assert "half of its values" in problem.message
        assert not edge_problems("it", probe, {"y": np.clip(wanted, -20, 20)}, 0.1), "int8 is cut"


@pytest.mark.parametrize(
    ("call", "dtype", "taken"),
    [
        (lambda x: tf.gather(tf.eye(300), x), "int32", []),
        (tf.sqrt, "float32", ["floats from 0 to 100"]),
        (lambda x: tf.exp(x) / tf.reduce_sum(tf.exp(x)), "float32", ["floats up to ±30"]),
        (lambda x: tf.sequence_mask(x[0, 0]), "int32", ["small negative integers"]),
        (lambda x: tf.one_hot(x[0], 4), "uint8", ["integers up to 65000"]),
        (lambda x: tf.one_hot(x[0], x[0, 0] + 8), "int32", ["small negative integers"]),
        (lambda x: tf.math.add(x, 1), "uint8", ["integers up to 65000"]),
        (lambda x: tf.math.add(x, 1), "int16", ["small negative integers", "integers up to 65000"]),
    ],
)
def test_what_the_model_does_not_take_is_left_out(call, dtype, taken):
    assert labels(model_and_edges(call, dtype)[1]) == taken


def of_two(call):
    """Edges of a model of an embedding's index and a number beside it."""
    table = tf.eye(300)
    signature = traced(
        lambda user, time: {"y": tf.concat([tf.gather(table, user), call(time)], -1)},
        spec("user", "int64", "n"), spec("time", "int64", "n"),
    )  # fmt: skip
    model = traced_model(tf.Module(), signature)
    recipe = next(iter(recipes(signature.record)))
    probes = draw(signature.record, recipe, samples=1, seed=0)
    return probes, edge_probes(model, probes, 0)


def test_where_one_input_refuses_the_others_are_changed_alone():
    hours = lambda time: tf.one_hot(time // 3_600_000 % 24, 24)  # noqa: E731
    (probe,), edges = of_two(hours)
    assert [p.label for p in edges] == [
        f"{group}, on {probe.label}, time alone"
        for group in ("small negative integers", "integers up to 2**31", "integers beyond 2**31")
    ]
    for edge in edges:
        assert (edge.inputs["user"] == probe.inputs["user"]).all()
        assert (edge.inputs["time"] != probe.inputs["time"]).any()


def test_where_every_input_refuses_there_are_no_edges():
    assert of_two(lambda time: tf.gather(tf.eye(300), time))[1] == ()


def test_probes_of_edges_are_read_as_they_were_written(tmp_path):
    _, edges = model_and_edges(tf.math.softplus, "float32")
    save_probes(tmp_path / "probes", edges)
    found = load_probes(tmp_path / "probes")
    assert [(p.label, p.edge) for p in found] == [(p.label, p.edge) for p in edges]
    assert all(
        np.array_equal(a.inputs["x"], b.inputs["x"]) for a, b in zip(found, edges, strict=True)
    )
