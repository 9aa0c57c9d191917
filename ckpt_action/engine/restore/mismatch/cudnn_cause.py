"""Weights of cuDNN's layers as the cause of a failed restore."""

from __future__ import annotations

from collections.abc import Iterator

from ckpt_action.engine.restore.mismatch.align import leaf
from ckpt_action.engine.restore.mismatch.evidence import Cause, Evidence
from ckpt_action.engine.restore.records import LiveVariable
from ckpt_action.engine.some_of import some_of


def two_biases(evidence: Evidence) -> Cause | None:
    """Layers that agree in all but the bias, of which the file has two as cuDNN does."""
    names = list(_layers(evidence))
    if not names:
        return None
    shown = some_of(names, 3)
    why = "".join(f" It is not converted: {text}." for text in evidence.best.unconverted[:1])
    text = (
        f"The file has weights of CuDNNLSTM or CuDNNGRU, which have two biases, for {shown}.{why}"
    )
    if evidence.best.route == "order of layers":
        return Cause(
            text,
            "They are converted for an LSTM or GRU that computes the same (tanh, sigmoid, "
            "`reset_after=True`, a bias), in the model itself or in a Bidirectional of it.",
        )
    return Cause(
        text,
        "Keras converts them from HDF5 alone: load the checkpoint with Keras 2 into the model of "
        "the training, with its `CuDNNLSTM`, and `model.save_weights('w.h5')`; that file is "
        "converted for LSTM and GRU.",
    )


def _layers(evidence: Evidence) -> Iterator[str]:
    best = evidence.best
    loose = [*(c.variable for c in best.unfit), *best.missing]
    every = [*loose, *(c.variable for c in best.bound)]
    stored = [*(c.value for c in best.unfit), *best.unused]
    widths = {v.shape[0] for v in stored if leaf(v.path) == "bias" and len(v.shape) == 1}
    recurrent = {_owner(v) for v in every if leaf(v.place) == "recurrent_kernel"}
    recurrent -= _others(evidence)
    fitting = {shape for width in widths for shape in _native(width // 2)}
    for live in loose:
        if leaf(live.place) == "bias" and live.shape in fitting and _owner(live) in recurrent:
            yield _owner(live)


def _others(evidence: Evidence) -> set[str]:
    """Layers that have other kernels too: of other units."""
    return {
        _owner(row.live)
        for row in evidence.rows
        if row.live and row.value and row.live.shape != row.value.shape
        if leaf(row.live.place) != "bias"
    }


def _owner(variable: LiveVariable) -> str:
    return variable.attributes.rpartition("/")[0]


def _native(width: int) -> tuple[tuple[int, ...], ...]:
    """Shapes of a bias where cuDNN has two of `width`."""
    return (width,), (2, width)
