"""What `record_golden` is told of a model's inputs is what an export is told of them."""

from __future__ import annotations

import numpy as np
import pytest
from cases import as_restored, make_job, rebuild, signature, trace

from ckpt_action import record_golden
from ckpt_action.config.records import Verify
from ckpt_action.engine.prove.model.reference import make_reference

TWO = ("query", "document")


@pytest.mark.parametrize(
    ("entry_point", "names", "size"),
    [
        ("models:sequential", ("image",), 8),
        ("models:functional_named", ("image",), 0),
        ("models:functional_two", ("left", "right"), 3),
        ("models:functional_dict", ("b", "a"), 3),
        ("models:Subclassed", ("image",), 8),
        ("models:Pair", ("a", "b"), 3),
        ("models:Search", TWO, 3),
        ("models:TakesApart", TWO, 3),
        ("models:OneDict", ("zeta", "alpha"), 3),
    ],
)
def test_the_model_as_it_was_recorded_is_proven(entry_point, names, size, tmp_path):
    shape = (size,) if size else (8, 8, 3)
    given = signature(**dict.fromkeys(names, ("float32", "batch", *shape)))
    restored = as_restored(rebuild(make_job(entry_point, given)))
    arrays = np.random.default_rng(0).normal(size=(len(names), 4, *shape)).astype("float32")
    path = record_golden(
        tmp_path / "golden.npz", restored.rebuilt.model, **dict(zip(names, arrays, strict=True))
    )
    found = make_reference(trace(restored, "m", "not asked for"), Verify(golden=path))
    (proof,) = (proof for proof in found.proofs if proof.name == "golden")
    assert proof.passed, proof.detail
