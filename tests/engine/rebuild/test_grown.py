"""Python code that asks whether a free size is large is asked at a large one."""

from __future__ import annotations

import numpy as np
import pytest
from cases import signature, tf, traced

from ckpt_action.config.records import Verify
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.model.grown import grown_probes
from ckpt_action.engine.prove.model.live import LiveSignature
from ckpt_action.engine.prove.model.reference import make_reference
from ckpt_action.errors import Severity


def eager(entry_point, *signatures, **options):
    found = make_reference(traced(entry_point, *signatures, **options), Verify())
    (proof,) = (p for p in found.proofs if p.name == "eager")
    return proof, found.problems


@pytest.mark.parametrize(
    ("entry_point", "size"),
    [
        ("sizes:truncates", "=160"),
        ("sizes:truncates_a_picture", "=160"),
        ("sizes:of_64_positions", "=48"),
        ("sizes:of_two_alike", "=160, "),
    ],
)
def test_a_graph_without_the_truncation_of_long_inputs_is_refused(entry_point, size):
    proof, (problem,) = eager(entry_point)
    assert proof.passed is False
    assert "grown to" in proof.detail
    assert size in proof.detail
    assert problem.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("entry_point", "large"),
    [
        ("sizes:recurrent", 0),
        ("sizes:pictures", 2),
        ("sizes:pictures_of_one_channel", 2),
        ("sizes:recurrent_over_pictures", 2),
        ("sizes:of_64_positions", 1),
    ],
)
def test_sequences_are_long_where_somebody_may_ask_how_long(entry_point, large):
    """Keras asks of pictures alone."""
    live = LiveSignature(traced(entry_point).signatures[0])
    (shape,) = (t.shape for t in live.record.inputs)
    probe = Probe(
        signature="serving_default",
        label="",
        inputs={"x": np.ones([d if isinstance(d, int) else 4 for d in shape], "float32")},
    )
    assert len(list(grown_probes(live, [probe]))) == large


def test_sizes_that_the_model_refuses_are_none_of_its_sizes():
    proof, problems = eager("sizes:of_64_positions", arguments={"truncated": False})
    assert (proof.passed, problems) == (True, ())


OF_ANY_LENGTH = signature(x=("float32", "batch", "time", 3))


@pytest.mark.parametrize(
    ("way", "size"),
    [
        ("attribute", 1026),
        ("turned", 1026),
        ("least", 1026),
        ("halves", 2052),
        ("list", 1026),
        ("exactly", 512),
        ("unpacked", 1026),
        ("between", 599),
    ],
)
def test_a_size_that_the_code_compares_with_is_tried(way, size):
    proof, (problem,) = eager("sizes:TruncatesTo", OF_ANY_LENGTH, arguments={"way": way})
    assert proof.passed is False
    assert f"grown to time={size}:" in proof.detail
    assert problem.severity is Severity.ERROR


def test_a_size_that_is_too_large_to_be_tried_leaves_it_open():
    proof, problems = eager("sizes:AsksForMillions", OF_ANY_LENGTH)
    assert (proof.passed, problems) == (None, ())
    assert "time is 1000001" in proof.detail


def test_shapes_are_what_they_were_when_the_code_has_been_asked():
    eager("sizes:TruncatesTo", OF_ANY_LENGTH, arguments={"way": "attribute", "most": 2000})
    assert [type(n) for n in tf.ones((2, 3)).shape] == [int, int]
