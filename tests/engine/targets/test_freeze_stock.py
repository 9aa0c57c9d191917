"""A TensorFlow without Grappler's Python entry point: TensorFlow's own freezer takes over."""

from __future__ import annotations

import sys
import types

import keras_cases
import module_cases
import numpy as np
import pytest
import tensorflow as tf
from handmade import assert_equal
from tensorflow.python.framework import convert_to_constants  # has a Grappler of its own

from ckpt_action.engine.freeze import size
from ckpt_action.engine.targets import frozen_graph
from ckpt_action.errors import CkptActionError, ExitCode, Severity


def lacks_the_module(monkeypatch):
    from tensorflow.python import grappler

    monkeypatch.delattr(grappler, "tf_optimizer")
    monkeypatch.setitem(sys.modules, "tensorflow.python.grappler.tf_optimizer", None)


def lacks_the_function(monkeypatch):
    other = types.ModuleType("tensorflow.python.grappler.tf_optimizer")
    replace_grappler(monkeypatch, other)


def takes_other_arguments(monkeypatch):
    other = types.ModuleType("tensorflow.python.grappler.tf_optimizer")
    other.OptimizeGraph = lambda cluster: cluster
    replace_grappler(monkeypatch, other)


def replace_grappler(monkeypatch, module):
    from tensorflow.python import grappler

    monkeypatch.setattr(grappler, "tf_optimizer", module)
    monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.fixture(params=[lacks_the_module, lacks_the_function, takes_other_arguments])
def _no_grappler(monkeypatch, request):
    request.param(monkeypatch)


@pytest.mark.usefixtures("_no_grappler")
@pytest.mark.parametrize("name", ["recurrent", "convolutions", "several_signatures"])
@pytest.mark.parametrize("lower", [False, True])
def test_it_writes_the_graph_and_says_so(name, lower, tmp_path):
    case = (module_cases.CASES | keras_cases.CASES)[name]()
    written = frozen_graph.export(case.model, tmp_path, {"lower-control-flow": lower})
    (note,) = written.notes
    assert note.severity is Severity.NOTE
    assert "TensorFlow's own freezer" in note.message
    assert sorted(written.payloads.values()) == sorted(v.path for v in case.model.variables)
    artifact = frozen_graph.open_artifact(tmp_path, ())
    for signature, feeds in case.inputs.items():
        assert_equal(artifact.run(signature, feeds), case.live(signature))


def stock_is_right(case, lower):
    """Whether the graph of TensorFlow's own freezer computes what the model does."""
    (signature,) = case.model.signatures
    feeds = {name: tf.constant(v) for name, v in case.inputs["serving_default"].items()}
    try:
        frozen = convert_to_constants.convert_variables_to_constants_v2(
            signature.function, lower_control_flow=lower
        )
        found = [np.asarray(tensor) for tensor in frozen(**feeds)]
    except (tf.errors.InvalidArgumentError, ValueError):
        return False
    wanted = case.live("serving_default").values()
    return all(np.allclose(one, other, 1e-4) for one, other in zip(found, wanted, strict=True))


@pytest.mark.parametrize("lower", [False, True])
def test_its_graph_of_a_gather_in_a_loop_is_wrong(lower):
    """The reason for a freezer of our own, and for the refusal below."""
    assert stock_is_right(module_cases.CASES["while_loop_with_branch"](), lower)
    right = stock_is_right(module_cases.CASES["gather_in_loop"](), lower)
    if right and tuple(map(int, tf.__version__.split(".")[:2])) > (2, 21):
        pytest.skip(f"TensorFlow {tf.__version__} freezes gathers in loops: the refusal can go")
    assert not right


@pytest.mark.usefixtures("_no_grappler")
def test_it_is_not_trusted_with_gathers_in_loops(tmp_path):
    case = module_cases.CASES["gather_in_loop"]()
    with pytest.raises(CkptActionError, match="lies inside a loop") as caught:
        frozen_graph.export(case.model, tmp_path, {})
    assert caught.value.problems[0].code is ExitCode.TARGET
    assert caught.value.problems[0].hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_no_grappler")
def test_what_is_too_large_is_refused_before_it_takes_the_memory(tmp_path, monkeypatch):
    case = module_cases.CASES["several_signatures"]()
    frozen = []
    monkeypatch.setattr(convert_to_constants, "convert_variables_to_constants_v2", frozen.append)
    monkeypatch.setattr(size, "LIMIT", 10)
    with pytest.raises(CkptActionError, match="2 GiB"):
        frozen_graph.export(case.model, tmp_path, {})
    assert frozen == []
