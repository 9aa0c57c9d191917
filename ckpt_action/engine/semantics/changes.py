"""Layers that compute something else in the Keras that rebuilds them than in the one that wrote the
checkpoint. All weights fit, so nothing else would notice.

Such changes between Keras 2 and Keras 3, each shown by a test that runs both: what `hard_sigmoid`
is, that ConvLSTM layers no longer have it as their default, what RandomCrop does at inference, and
how masks are handed on (`masks.py`). No other activation, and no other default of a layer, differs
between tf_keras 2.21 and Keras 3.15. They are seen where a layer has the function as an attribute,
before anything is restored, and wherever the function or the layer is called while the model is
traced.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ckpt_action.checkpoint.records import Writer
from ckpt_action.engine.keras_versions import keras_family, loaded_keras
from ckpt_action.engine.objects import Held
from ckpt_action.engine.semantics.calls import Call
from ckpt_action.engine.semantics.change import Change
from ckpt_action.errors import ExitCode, Problem, Severity, raise_errors
from ckpt_action.plan import Job

_HARD_SIGMOID = {"2": "clip(0.2 * x + 0.5, 0, 1)", "3": "relu6(x + 3) / 6"}
"""By generation of Keras."""

_WRITERS = {Writer.KERAS_2: "2", Writer.KERAS_3: "3"}
_CONV_LSTM = frozenset({"ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})
_CROP = {"2": "crops and resizes the image to its own size", "3": "passes the image through"}
"""What RandomCrop does at inference, by generation of Keras."""


def semantic_changes(held: Held, job: Job) -> tuple[Problem, ...]:
    """One problem per attribute whose meaning differs from that in the Keras of the writer.

    Also where the file does not tell which Keras wrote it. An error, unless the user chose this
    Keras or a golden file will tell: then a warning. `held`: all that the model holds.
    """
    writer = _WRITERS.get(job.checkpoint.writer)
    return tuple(
        _problem(change, writer, job) for change in _changes(held) if writer != change.here
    )


def called_changes(
    calls: Sequence[Call], masked: Sequence[Change], job: Job
) -> tuple[Problem, ...]:
    """Warnings of the same kind for calls of the function that are no layer's activation, and for
    masks.

    Raises CkptActionError (REBUILD) where they are errors.
    """
    writer = _WRITERS.get(job.checkpoint.writer)
    functions = {
        Change(
            place=f"a function that {f'layer {call.layer}' if call.layer else 'the model'} calls",
            here=call.generation,
            difference=_function(call.generation),
            where=call.where,
        ): None
        for call in calls
        if not call.of_layer and call.generation != writer
    }
    changes = functions | {change: None for change in masked if change.here != writer}
    problems = tuple(_problem(change, writer, job) for change in changes)
    raise_errors(problems)
    return problems


def _problem(change: Change, writer: str | None, job: Job) -> Problem:
    golden = job.model.verify.golden is not None
    chosen = job.model.keras == change.here
    if writer is None:
        doubt = " The checkpoint does not tell which Keras wrote it"
        hint = (
            'Set `keras = "2"` if Keras 2 trained the model (TensorFlow 2.15 or older, or '
            'tf_keras), `keras = "3"` if Keras 3 did'
        )
    else:
        doubt = f" Keras {writer} wrote the checkpoint"
        hint = f'Set `keras = "{writer}"`' + (
            f" (needs tf-keras){change.instead}" if writer == "2" else ""
        )
    return Problem(
        code=ExitCode.REBUILD,
        severity=Severity.WARNING if golden or chosen else Severity.ERROR,
        message=f"{change.place} {change.difference}.{doubt}: all weights fit, the outputs may "
        "differ.",
        hint=hint + ("." if golden else "; a golden file would settle it."),
        where=change.where,
    )


def _changes(held: Held) -> Iterator[Change]:
    for _, layer in held:
        family = keras_family(layer)
        if family is None:
            continue
        here = family.removeprefix("keras-")
        keras: Any = loaded_keras(int(here))
        for attribute, value in vars(layer).items():
            if value is keras.activations.hard_sigmoid:
                place = f"{layer.name}.{attribute}"
                yield Change(place=place, here=here, difference=_function(here))
        if type(layer).__name__ == "RandomCrop":
            yield Change(place=layer.name, here=here, difference=_crop(here), instead="")
        if type(layer).__name__ in _CONV_LSTM:
            gate = layer.cell.recurrent_activation
            if gate is (
                keras.activations.sigmoid if here == "3" else keras.activations.hard_sigmoid
            ):
                place = f"{layer.name}.recurrent_activation"
                yield Change(place=place, here=here, difference=_default(here))


def _function(here: str) -> str:
    there = "3" if here == "2" else "2"
    return (
        f"is hard_sigmoid, which is {_HARD_SIGMOID[here]} in Keras {here} and "
        f"{_HARD_SIGMOID[there]} in Keras {there}"
    )


def _crop(here: str) -> str:
    there = "3" if here == "2" else "2"
    return (
        f"is RandomCrop, which at inference {_CROP[here]} in Keras {here} and {_CROP[there]} in "
        f"Keras {there}"
    )


def _default(here: str) -> str:
    old = f"hard_sigmoid, {_HARD_SIGMOID['2']}"
    now, there, other = ("sigmoid", "2", old) if here == "3" else (old, "3", "sigmoid")
    return f"is {now}, the default in Keras {here}; in Keras {there} the default is {other}"
