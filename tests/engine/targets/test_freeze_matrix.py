"""Frozen graphs of everything that a graph can do with a variable, imported by TensorFlow."""

from __future__ import annotations

from pathlib import Path

import keras_cases
import module_cases
import numpy as np
import pytest
import tensorflow as tf
from handmade import Case, assert_equal, spec, traced, traced_model
from tensorflow.core.framework import graph_pb2

from ckpt_action.engine.arrays import digest
from ckpt_action.engine.records import Written
from ckpt_action.engine.targets import frozen_graph
from ckpt_action.errors import CkptActionError

MODES = {"functional": {}, "lowered": {"lower-control-flow": True}}
LOWERED = {"Enter", "Switch", "Merge", "Exit"}
FUNCTIONAL = {"While", "StatelessWhile", "If", "StatelessIf", "Case", "StatelessCase"}
CONTROL_FLOW = {
    "while_loop_with_branch": {"While", "If"},
    "gather_in_loop": {"While"},
    "gather_in_branch_in_nested_loops": {"While", "If"},
    "switch_case_and_nested_functions": {"Case"},
    "handle_passed_to_a_branch_function": {"If"},
    "map_fn": {"While"},
    "several_signatures": {"While"},
    "recurrent": {"While"},
    "masked_recurrent": {"While"},
}
"""What the graph has to have of it; the other cases need none."""


def frozen(case: Case, folder: Path, mode: str) -> tuple[Written, graph_pb2.GraphDef]:
    written = frozen_graph.export(case.model, folder, MODES[mode])
    (file,) = folder.glob("*.pb")
    return written, graph_pb2.GraphDef.FromString(file.read_bytes())


def ops(graph: graph_pb2.GraphDef) -> set[str]:
    bodies = [graph.node, *(f.node_def for f in graph.library.function)]
    return {node.op for nodes in bodies for node in nodes}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name == "mobilenet" else ())
        for name in (*module_cases.CASES, *keras_cases.CASES)
    ],
)
def test_a_frozen_graph_equals_the_model(name, mode, tmp_path):
    case = (module_cases.CASES | keras_cases.CASES)[name]()
    written, graph = frozen(case, tmp_path, mode)
    artifact = frozen_graph.open_artifact(tmp_path, ())
    for signature, feeds in case.inputs.items():
        assert_equal(artifact.run(signature, feeds), case.live(signature))
    assert_values_are_stored_once(case, written, graph)
    assert dict(artifact.payloads()) == {
        node: digest(by_path(case)[path]) for node, path in written.payloads.items()
    }
    assert not any("Variable" in op or op.startswith("Resource") for op in ops(graph))
    functional, lowered = ops(graph) & FUNCTIONAL, ops(graph) & LOWERED
    wanted = CONTROL_FLOW.get(name, set())
    if mode == "lowered":
        assert not functional
        assert lowered or not wanted
    else:
        assert wanted <= {op.removeprefix("Stateless") for op in functional}
        assert not lowered or name == "control_flow_of_tf1"


def assert_values_are_stored_once(case: Case, written: Written, graph: graph_pb2.GraphDef) -> None:
    names = [node.name for node in graph.node]
    assert len(names) == len(set(names))
    assert sorted(written.payloads.values()) == sorted(by_path(case))


def by_path(case: Case) -> dict:
    """Each variable's value; strings as an array of objects even where there is one only."""
    return {
        v.path: np.asarray(v.variable.numpy(), object if v.variable.dtype == tf.string else None)
        for v in case.model.variables
    }


def test_calls_are_inlined_whatever_their_markers(tmp_path):
    for name in ("noinline_function_with_variables", "xla_function"):
        folder = tmp_path / name
        folder.mkdir()
        written, graph = frozen(module_cases.CASES[name](), folder, "functional")
        assert not any(op.endswith("PartitionedCall") for op in ops(graph))
        assert written.notes == ()


def test_nodes_come_before_their_readers(tmp_path):
    case = module_cases.CASES["gather_in_branch_in_nested_loops"]()
    _, graph = frozen(case, tmp_path, "lowered")
    back = {n.name for n in graph.node if n.op == "NextIteration"}
    assert back
    before: set[str] = set()
    for node in graph.node:
        inputs = {reference.lstrip("^").split(":")[0] for reference in node.input}
        if node.name not in back:
            assert inputs - back <= before, node.name
        before.add(node.name)


def test_an_assertion_of_the_model_stays(tmp_path):
    m = module_cases.Weights()

    def call(x):
        tf.debugging.assert_greater(x, 0.0, message="only positive values")
        return {"y": x @ m.w}

    signature = traced(call, spec("x", "float32", "n", 4))
    frozen_graph.export(traced_model(m, signature), tmp_path, {})
    artifact = frozen_graph.open_artifact(tmp_path, ())
    artifact.run("serving_default", {"x": np.ones((1, 4), "float32")})
    with pytest.raises(CkptActionError, match="only positive values"):
        artifact.run("serving_default", {"x": -np.ones((1, 4), "float32")})


def test_outputs_do_not_wait_for_constants(tmp_path):
    """Reading a variable was an effect that outputs had to wait for; reading a constant is none."""
    _, graph = frozen(keras_cases.dense(), tmp_path, "functional")
    assert not [r for node in graph.node for r in node.input if r.startswith("^")]
    assert "NoOp" not in ops(graph)
