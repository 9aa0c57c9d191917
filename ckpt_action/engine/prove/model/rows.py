"""Whether a row of the outputs depends on its own row of the inputs alone.

A layer that normalizes by the batch gives right numbers for the batches it was trained with and
wrong ones for a single row, whatever it is called and whether or not it writes its statistics.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ckpt_action.engine.prove.inputs.cuts import size_of
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.model.live import LiveSignature
from ckpt_action.engine.prove.model.signature_proof import signature_proof
from ckpt_action.errors import ExitCode, Problem, warning
from ckpt_action.outcome import Proof, SignatureRecord
from ckpt_action.verify import compare


def rows_apart(live: LiveSignature, probes: Sequence[Probe], *, fixed: bool = False) -> bool | None:
    """Whether the first row of every output stays while all other rows of the inputs change.

    None where inputs and outputs do not share one free first dimension and no other, or no probe
    has two different rows. With `fixed` it may be a number too, which is no batch for sure. One
    call on the smallest probe: all its rows become the first one, so sizes stay and the values are
    such as the model takes.
    """
    if not have_rows(live.record, fixed=fixed):
        return None
    telling = [p for p in probes if any((a != a[:1]).any() for a in p.inputs.values())]
    if not telling:
        return None
    probe = min(telling, key=size_of)
    alike = {name: np.repeat(a[:1], len(a), axis=0) for name, a in probe.inputs.items()}
    outputs = live.answer(alike)
    if outputs is None:
        return None
    return all(
        compare(expected[:1], outputs[name][:1]).passed
        for name, expected in probe.reference.items()
    )


def rows_proof(signature: str, *, passed: bool | None) -> Proof:
    details = {
        True: "a row of the outputs depends on its own row of the inputs alone",
        False: "not shown: the rows of a batch influence each other",
        None: "not applicable: no single free first dimension, or no probe of several rows",
    }
    return signature_proof("rows", signature, passed or None, details[passed])


def rows_warning(signature: str) -> Problem:
    return warning(
        ExitCode.VERIFY,
        f"Signature {signature!r} computes each row from the other rows of the batch too, "
        "as a batch normalization in training mode does.",
        hint="Hand the inference mode on to every layer. If rows belong together, as time steps "
        "or nodes of a graph do, this is as it should be.",
    )


def have_rows(record: SignatureRecord, *, fixed: bool = False) -> bool:
    """Whether inputs and outputs share one free first dimension; with `fixed`, or a number."""
    shapes = [t.shape or (None,) for t in (*record.inputs, *record.outputs)]
    first = shapes[0][0] if shapes else None
    return (isinstance(first, str) or (fixed and first is not None and first > 1)) and all(
        shape[0] == first and first not in shape[1:] for shape in shapes
    )
