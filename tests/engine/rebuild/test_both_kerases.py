"""Layers of Keras 2 and Keras 3 with equal weights and inputs: they differ where it is said that
their masks do, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cases import HERE, KERAS_3, make_job, tf
from layer_cases import DIFFERENT, IDS, IMAGES, OF_IMAGES, OTHER_IDS, SAME, of_images, of_texts

from ckpt_action.checkpoint.records import Writer
from ckpt_action.config.records import Verify
from ckpt_action.engine.semantics.change import Change
from ckpt_action.engine.semantics.changes import called_changes
from ckpt_action.engine.semantics.masks import masked_calls
from ckpt_action.errors import CkptActionError, Severity

pytestmark = pytest.mark.filterwarnings("ignore:Layer '.*was passed an input with a mask")
keras_2 = pytest.importorskip("tf_keras")
if not KERAS_3:
    pytest.skip("one Keras is compared with the other", allow_module_level=True)
keras_3 = tf.keras


def compared(build, *inputs):
    """(whether the two Kerases compute the same, what is said of masks in each)."""
    rng = np.random.default_rng(0)
    models = [build(keras_2), build(keras_3)]
    weights = [rng.uniform(0.5, 2, value.shape) for value in models[0].get_weights()]
    weights = [w if w.ndim < 2 else w - 1.25 for w in weights]
    outputs, said = [], []
    for model in models:
        model.set_weights(weights)
        packed = [tf.constant(value) for value in inputs]
        call = tf.function(lambda x, model=model: model(x, training=False))
        with masked_calls([]) as changes:
            result = call(packed if len(packed) > 1 else packed[0])
        outputs.append(np.asarray(result))
        said.append([change.place for change in changes])
    same = outputs[0].shape == outputs[1].shape and np.allclose(*outputs, atol=1e-4)
    return same, said


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_differs_is_seen_in_both(name):
    same, said = compared(of_texts(DIFFERENT[name]), IDS, OTHER_IDS)
    assert not same
    assert all(said), said


@pytest.mark.parametrize("name", SAME)
def test_nothing_is_said_where_both_compute_the_same(name):
    same, said = compared(of_texts(SAME[name]), IDS, OTHER_IDS)
    assert same
    assert said == [[], []]


@pytest.mark.parametrize("name", OF_IMAGES)
def test_a_layer_computes_the_same_in_both(name):
    same, said = compared(of_images(name), IMAGES)
    assert same
    assert said == [[], []]


class Encoder(keras_3.layers.Layer):
    """Called anew whenever it is traced, as is all code of one's own."""

    def __init__(self):
        super().__init__()
        self.words = keras_3.layers.Embedding(10, 4, mask_zero=True)
        self.attention = keras_3.layers.MultiHeadAttention(2, 4)
        self.add, self.mean = keras_3.layers.Add(), keras_3.layers.GlobalAveragePooling1D()

    def call(self, x):
        x = self.words(x)
        return self.mean(self.add([x, self.attention(x, x)]))


def test_a_mask_taken_off_is_missing_in_ones_own_code():
    encoder = Encoder()
    encoder(tf.constant(IDS))
    with masked_calls([HERE]) as changes:
        tf.function(encoder).get_concrete_function(tf.constant(IDS))
    (change,) = changes
    assert change.place == f"{encoder.add.name} (Add)"
    assert "self.add(" in Path(change.where.file).read_text().splitlines()[change.where.line - 1]


def test_a_functional_model_of_keras_3_works_masks_out_while_it_is_built():
    same, said = compared(of_texts(lambda t: t.read(t.block(t.masked()))), IDS, OTHER_IDS)
    assert same
    assert said[1] == []


@pytest.mark.parametrize(
    ("options", "severities"),
    [
        ({"writer": Writer.KERAS_3}, []),
        ({"writer": Writer.KERAS_2}, [Severity.ERROR]),
        ({"writer": Writer.UNKNOWN}, [Severity.ERROR]),
        ({"writer": Writer.UNKNOWN, "keras": "3"}, [Severity.WARNING]),
        ({"writer": Writer.KERAS_2, "verify": Verify(golden=Path("g.npz"))}, [Severity.WARNING]),
    ],
)
def test_another_mask_is_an_error_unless_something_else_decides(options, severities):
    change = Change(place="sum (Add)", here="3", difference="merges masks", instead="")
    try:
        problems = called_changes((), [change], make_job("activations:build", **options))
    except CkptActionError as error:
        problems = error.problems
    assert [problem.severity for problem in problems] == severities
