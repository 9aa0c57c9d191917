"""Tracing: inference mode, names, captures, and graphs that are the same every time."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from cases import (
    KERAS_3,
    as_restored,
    in_fresh_process,
    problem_of,
    problems_of,
    rebuilt,
    run,
    signature,
    tf,
    traced,
)

from ckpt_action.engine.trace.trace import trace
from ckpt_action.errors import ExitCode, Severity

ALWAYS_TRAIN = ["models:AlwaysTrains", "models:InFunction"]
if not KERAS_3:  # a Functional model of Keras 3 lets the caller decide after all
    ALWAYS_TRAIN.append("models:functional_always_trains")

X2, X4, X8 = (signature(x=("float32", "batch", n)) for n in (2, 4, 8))


def outputs(entry_point, *signatures, **options):
    model = traced(entry_point, *signatures, **options)
    return {o.name: (o.dtype, o.shape) for o in model.signatures[0].record.outputs}


@pytest.mark.parametrize(
    "entry_point",
    ["models:TrainsByDefault", "models:InnerTrainsByDefault", "models:ModuleAroundKeras"],
)
def test_training_by_default_is_off(entry_point):
    model = traced(entry_point, X4)
    x = np.ones((3, 4), np.float32)
    (first,), (second,) = run(model, x=x).values(), run(model, x=x).values()
    np.testing.assert_array_equal(first, second)
    assert np.all(first != 0.0)  # dropout would have zeroed nine of ten


def test_a_method_beside_call_is_in_inference_mode_too():
    model = traced("models:ModuleAroundKeras", signature(method="doubled", x=("float32", 3, 4)))
    assert np.all(run(model, x=np.ones((3, 4)))["output_0"] != 0.0)


@pytest.mark.parametrize("entry_point", ALWAYS_TRAIN)
def test_batch_statistics_that_would_change_are_an_error(entry_point):
    problem = problem_of(traced, entry_point, X4)
    assert problem.code is ExitCode.SIGNATURE
    assert "training mode" in problem.message
    assert "moving_mean" in problem.message


@pytest.mark.parametrize(
    ("entry_point", "declared", "expected"),
    [
        ("models:sequential", X8, {"output_0": ("float32", ("batch", 3))}),
        (
            "models:functional_named",
            signature(image=("float32", "n", "h", "w", 3)),
            {"logits": ("float32", ("n", 2)), "score": ("float32", ("n", 1))},
        ),
        (
            "models:Returns",
            signature(method="as_dict", x=("float32", "batch", 2)),
            {
                "a": ("float32", ()),
                "in_deep": ("float32", ("batch", 2)),
                "in_list_0": ("float32", ("batch", 2)),
                "in_list_1": ("float32", ("batch", 2)),
                "z": ("float32", ("batch", 2)),
            },
        ),
        (
            "models:Returns",
            signature(
                ["z", "a", "in_deep", "in_list_1", "in_list_0"],
                method="as_dict",
                x=("float32", 1, 2),
            ),
            {
                "z": ("float32", (1, 2)),
                "a": ("float32", ()),
                "in_deep": ("float32", (1, 2)),
                "in_list_1": ("float32", (1, 2)),
                "in_list_0": ("float32", (1, 2)),
            },
        ),
        (
            "models:Returns",
            signature(["p", "q", "r"], method="as_tuple", x=("float32", "batch", 2)),
            dict.fromkeys("pqr", ("float32", ("batch", 2))),
        ),
        (
            "models:Returns",
            signature(method="as_named", x=("float32", "batch", 2)),
            dict.fromkeys(("mean", "spread"), ("float32", ("batch", 2))),
        ),
        (
            "models:Returns",
            signature(method="masked", x=("float32", "batch", 2)),
            {"output_0": ("float32", (None, 2))},
        ),
        (
            "models:integer_output",
            signature(x=("float32", "batch", 3)),
            {"output_0": ("int64", ("batch",))},
        ),
    ],
)
def test_outputs_have_names_dtypes_and_free_sizes(entry_point, declared, expected):
    found = outputs(entry_point, declared)
    assert found == expected
    assert list(found) == list(expected)


@pytest.mark.parametrize(
    ("method", "names", "message"),
    [
        ("as_tuple", ["p", "q"], "declares 2 outputs (p, q); `as_tuple` returns 3"),
        ("as_named", ["mean", "sprad"], "mean, spread"),
        ("as_none", [], "the result[1] of `as_none` is None"),
        ("as_ragged", [], "RaggedTensor"),
        ("as_object", [], "not a tensor"),
    ],
)
def test_results_that_do_not_fit(method, names, message):
    declared = signature(names, method=method, x=("float32", "batch", 2))
    problem = problem_of(traced, "models:Returns", declared)
    assert problem.code is ExitCode.SIGNATURE
    assert message in problem.message


def test_python_branches_on_tensors_become_part_of_the_graph():
    declared = signature(method="branching", x=("float32", 1, 2))
    model = traced("models:Returns", declared)
    np.testing.assert_array_equal(run(model, x=[[1.0, 3.0]])["output_0"], [[32.0, 96.0]])
    np.testing.assert_array_equal(run(model, x=[[-1.0, -3.0]])["output_0"], [[-4.0, -4.0]])


def test_eager_only_code_is_named_with_its_line():
    declared = signature(method="eager_only", x=("float32", "batch", 2))
    problem = problem_of(traced, "models:Returns", declared)
    assert problem.where.file.endswith("models.py")
    assert "TensorFlow ops" in problem.hint


def test_a_free_size_that_the_code_reads_as_a_number():
    problem = problem_of(traced, "models:NeedsSize", X4)
    assert "tf.shape" in problem.hint
    assert traced("models:NeedsSize", signature(x=("float32", 3, 4))).variables


def test_a_variable_that_the_model_does_not_hold():
    problem = problem_of(traced, "models:untracked", X2)
    assert "`hidden`" in problem.message
    assert "untracked resource" in problem.message


def test_a_variable_that_was_not_restored_is_not_exported():
    restored = as_restored(rebuilt("models:Subclassed", X8))
    kept = tuple(v for v in restored.variables if tuple(v.variable.shape) != (8, 4))
    problem = problem_of(trace, dataclasses.replace(restored, variables=kept), "m", "")
    assert "not restored" in problem.message


def test_variables_are_raw_in_order_and_only_those_read():
    model = traced("models:sequential", X8)
    assert {type(v.variable).__name__ for v in model.variables} == {"ResourceVariable"}
    assert [tuple(v.variable.shape) for v in model.variables] == [(8, 4), (4,), (4, 3), (3,)]
    captured = {id(outer) for outer, _ in model.signatures[0].function.graph.captures}
    assert captured == {id(v.variable.handle) for v in model.variables}


def test_tables_are_found_in_dicts():
    model = traced("models:Table", signature(words=("string", "batch")))
    assert len(model.resources) == 1
    out = run(model, words=["b", "?"])["output_0"]
    assert out.shape == (2, 2)


def test_layers_inside_layers_of_a_graph_model_have_their_variables():
    model = traced("models:layers_made_in_build", X8)
    assert [tuple(v.variable.shape) for v in model.variables] == [(8, 8), (8,), (8, 3), (3,)]


def test_text_that_may_not_be_empty():
    called = signature(method="last_letter", texts=("string", "batch"))
    model = traced("models:Table", called)
    assert run(model, texts=["cab", "a"])["output_0"].shape == (2, 2)


def test_half_precision_outputs_are_noted():
    model = traced("models:mixed", X8)
    (problem,) = model.problems
    assert problem.severity is Severity.NOTE
    assert model.signatures[0].record.outputs[0].dtype == "float16"
    assert all(v.variable.dtype == tf.float32 for v in model.variables)


def test_two_signatures_share_their_variables():
    calls = signature(features=("float32", "batch", 8))
    triples = signature(name="tripled", method="tripled", features=("float32", 1, 8))
    model = traced("models:Bare", calls, triples)
    x = np.ones((1, 8), np.float32)
    assert len(model.variables) == 1
    np.testing.assert_allclose(
        run(model, features=x)["output_0"] * 3.0,
        run(model, name="tripled", features=x)["output_0"],
        rtol=1e-6,
    )
    assert model.signatures[1].function.inputs[0].shape == (1, 8)


def test_the_failures_of_all_signatures_come_at_once():
    first = signature(name="one", method="as_none", x=("float32", "batch", 2))
    second = signature(name="two", method="as_ragged", x=("float32", "batch", 2))
    assert len(problems_of(traced, "models:Returns", first, second)) == 2


PROGRAM = """
import hashlib, sys
from cases import signature, traced
for entry in ("recurrent", "functional_named", "Subclassed", "Table"):
    declared = {
        "Subclassed": [signature(x=("float32", "batch", 8))],
        "Table": [signature(words=("string", "batch"))],
    }.get(entry, [])
    model = traced(f"models:{entry}", *declared)
    graph = model.signatures[0].function.graph.as_graph_def()
    for function in graph.library.function:
        function.attr.pop("api_implements", None)  # a random name, which is never written
    print(entry, hashlib.sha256(graph.SerializeToString(deterministic=True)).hexdigest())
    print(*(v.path for v in model.variables))
"""


def test_two_processes_trace_the_same_bytes():
    first, second = (in_fresh_process(PROGRAM, PYTHONHASHSEED=seed) for seed in ("1", "77"))
    assert first == second


def test_recurrent_layers_of_keras_2_in_one_process_do_not_run_each_other():
    pytest.importorskip("tf_keras")
    x = np.random.default_rng(0).normal(size=(2, 5, 2)).astype(np.float32)
    declared = signature(x=("float32", "batch", 5, 2))
    options = ({}, {"go_backwards": True})
    made = [traced("models:RecurrentOfKeras2", declared, arguments=one) for one in options]
    for model in made:
        (one,) = model.signatures
        assert (one.again, one.twin) == (None, None)
        (called,) = one.eager({"x": tf.constant(x)}).values()
        np.testing.assert_allclose(run(model, x=x)["output_0"], called, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.skipif(not KERAS_3, reason="runs the suite a second time, under Keras 2")
def test_everything_holds_under_keras_2_as_well():
    pytest.importorskip("tf_keras")
    program = (
        "import sys, pytest;"
        "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', 'test_signatures.py',"
        "'test_trace.py', 'test_architecture.py', 'test_honest.py']))"
    )
    report = in_fresh_process(program, TF_USE_LEGACY_KERAS="1")
    assert " passed" in report
    assert "failed" not in report
