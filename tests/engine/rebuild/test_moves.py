"""Whether outputs move with the inputs is asked in more than one way before it is denied."""

from __future__ import annotations

import pytest
from cases import signature, traced

from ckpt_action.config.records import Verify
from ckpt_action.engine.prove.model.reference import make_reference


def sensitive(entry_point, *signatures, **options):
    found = make_reference(traced(entry_point, *signatures, **options), Verify())
    (proof,) = (p for p in found.proofs if p.name == "sensitive")
    return proof


@pytest.mark.parametrize("rows", [None, 1])
@pytest.mark.parametrize("entry_point", ["mean_of_words", "one_number_a_row"])
def test_an_order_that_makes_no_difference_is_no_input_that_makes_none(entry_point, rows):
    assert sensitive(f"moves:{entry_point}", arguments={"rows": rows}).passed is True


def test_attention_without_positions_moves():
    assert sensitive("moves:attention_without_positions").passed is True


def test_outputs_that_know_the_size_of_the_inputs_alone_do_not_move():
    proof = sensitive("moves:CountsPlaces", signature(ids=("int32", "batch", "time")))
    assert proof.passed is None
    assert "do not move with the inputs;" in proof.detail
