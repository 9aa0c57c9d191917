"""`optimize = true` of the frozen graph: plainer and shorter, and as well proven as it can be."""

from __future__ import annotations

from pathlib import Path

import keras_cases
import numpy as np
import pytest
import tensorflow as tf
from handmade import assert_equal

from ckpt_action.engine.arrays import digest
from ckpt_action.engine.targets import registry

TARGET = registry()["frozen-graph"]


def nodes(folder: Path) -> list[str]:
    content = next(folder.glob("*.pb")).read_bytes()
    return [node.op for node in tf.compat.v1.GraphDef.FromString(content).node]


@pytest.mark.parametrize("options", [{}, {"lower-control-flow": True}], ids=["", "lowered"])
@pytest.mark.parametrize("name", ["convolutions", "masked_recurrent"])
def test_it_computes_the_same_from_fewer_nodes(name, options, tmp_path):
    case = keras_cases.CASES[name]()
    whole, plain = tmp_path / "whole", tmp_path / "plain"
    for folder in (whole, plain):
        folder.mkdir()
    TARGET.export(case.model, whole, options)
    written = TARGET.export(case.model, plain, {"optimize": True, **options})
    assert len(nodes(plain)) < len(nodes(whole))
    assert not {"FusedBatchNormV3", "Erfc", "Einsum"} & set(nodes(plain))

    artifact = TARGET.open_artifact(plain, ())
    assert_equal(artifact.run("serving_default", case.inputs["serving_default"]),
                 case.live("serving_default"))  # fmt: skip
    variables = {v.path: digest(v.variable.numpy()) for v in case.model.variables}
    stored = {written.payloads[node]: found for node, found in artifact.payloads()}
    assert stored == {p: d for p, d in variables.items() if p not in written.transformed}
    assert bool(written.transformed) == (name == "convolutions")


def test_a_folded_weight_that_is_changed_shows_in_the_outputs(tmp_path):
    case = keras_cases.CASES["convolutions"]()
    TARGET.export(case.model, tmp_path, {"optimize": True})
    file = next(tmp_path.glob("*.pb"))
    graph = tf.compat.v1.GraphDef.FromString(file.read_bytes())
    kernel = next(n for n in graph.node if n.op == "Const" and n.name.endswith("/kernel"))
    value = tf.make_ndarray(kernel.attr["value"].tensor).copy()
    value.reshape(-1)[0] += 1
    kernel.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    file.write_bytes(graph.SerializeToString())
    inputs = case.inputs["serving_default"]
    changed = TARGET.open_artifact(tmp_path, ()).run("serving_default", inputs)
    assert np.isfinite(changed["logits"]).all()
    with pytest.raises(AssertionError):
        assert_equal(changed, case.live("serving_default"))
