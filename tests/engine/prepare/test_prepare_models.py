"""Whole models through all passes: the same numbers, and known which constants are whose."""

from __future__ import annotations

import keras_cases
import numpy as np
import pytest
import tensorflow as tf
from handmade import assert_equal

from ckpt_action.engine.freeze import freeze
from ckpt_action.engine.prepare import prepare
from ckpt_action.engine.prepare.batch_norm import fold_batch_norm
from ckpt_action.engine.prepare.constants import fold_constants
from ckpt_action.engine.prepare.editor import value_of
from ckpt_action.engine.prepare.einsum import lower_einsum
from ckpt_action.engine.prepare.erfc import rewrite_erfc
from ckpt_action.engine.prepare.identities import skip_identities
from ckpt_action.engine.prepare.training_norm import rewrite_training_norm

PASSES = (
    skip_identities, fold_constants, fold_batch_norm, rewrite_training_norm, rewrite_erfc,
    lower_einsum, fold_constants, skip_identities,
)  # fmt: skip


@pytest.mark.parametrize("name", ["convolutions", "recurrent", "transformer", "mobilenet"])
def test_a_prepared_model_computes_the_same(name):
    case = keras_cases.CASES[name]()
    live = case.live("serving_default")
    frozen = freeze(case.model)
    prepared = prepare(frozen, PASSES)
    (signature,) = frozen.signatures
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.graph_util.import_graph_def(prepared.graph, name="")
        feeds = {t.tensor: case.inputs[signature.name][t.name] for t in signature.inputs}
        found = session.run({t.name: t.tensor for t in signature.outputs}, feeds)
    assert_equal(found, live)

    values = {n.name: value_of(n) for n in prepared.graph.node if n.op == "Const"}
    variables = {v.path: v.variable.numpy() for v in case.model.variables}
    for node, path in prepared.stored.items():
        assert np.array_equal(values[node].reshape(-1), variables[path].reshape(-1))
    assert {*prepared.stored.values(), *prepared.transformed} == set(variables)
    assert len(prepared.stored) >= 2


def test_a_layer_without_normalisation_is_stored_as_it_is():
    frozen = freeze(keras_cases.CASES["transformer"]().model)
    assert prepare(frozen, PASSES).transformed == ()
