"""Layers that compute something else in Keras 3 than in the Keras 2 that trained them.

Every layer of both Kerases was run with equal weights on equal inputs (TensorFlow 2.15 against
2.21). Apart from integer dtypes of category outputs two things differ: what `hard_sigmoid` is, and
that ConvLSTM layers no longer have it as their default. The weights fit, so nothing else would
notice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ckpt_action.checkpoint.records import Writer
from ckpt_action.engine.kerases import keras_family, loaded_keras
from ckpt_action.engine.objects import walk
from ckpt_action.errors import ExitCode, Problem, Severity
from ckpt_action.plan import Job

_CHANGED_FUNCTION = (
    "is hard_sigmoid, which is relu6(x + 3) / 6 in Keras 3 and was clip(0.2 * x + 0.5, 0, 1) in "
    "Keras 2"
)
_CHANGED_DEFAULT = (
    "is sigmoid, the default in Keras 3; in Keras 2 the default was hard_sigmoid, "
    "clip(0.2 * x + 0.5, 0, 1)"
)
_CONV_LSTM = frozenset({"ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})


def semantic_changes(model: Any, job: Job) -> tuple[Problem, ...]:
    """One problem per attribute of a Keras 3 layer whose meaning changed since the file was made.

    An error, unless the user chose `keras = "3"`, a golden file will tell, or it is not known that
    Keras 2 wrote the file: then a warning.
    """
    if job.checkpoint.writer not in (Writer.KERAS_2, Writer.UNKNOWN):
        return ()
    keras = loaded_keras(3)
    if keras is None:
        return ()
    certain = job.checkpoint.writer is Writer.KERAS_2
    proven_otherwise = job.model.keras == "3" or job.model.verify.golden is not None
    severity = Severity.ERROR if certain and not proven_otherwise else Severity.WARNING
    ending = "." if proven_otherwise else "; a golden file would settle it."
    doubt = "" if certain else " (if it was Keras 2 that wrote the checkpoint)"
    return tuple(
        Problem(
            code=ExitCode.REBUILD,
            severity=severity,
            message=f"{place} {difference}{doubt}. All weights fit, the outputs differ.",
            hint='Set `keras = "2"` (needs tf-keras), or pass the function '
            f"`lambda x: tf.clip_by_value(0.2 * x + 0.5, 0.0, 1.0)` in its place{ending}",
        )
        for place, difference in _changes(model, keras)
    )


def _changes(model: Any, keras: Any) -> Iterator[tuple[str, str]]:
    """(`layer.attribute`, what differs there) for every Keras 3 layer of `model`."""
    layers = [item for _, item in walk(model) if keras_family(item) == "keras-3"]
    for layer in layers:
        for attribute, value in vars(layer).items():
            if value is keras.activations.hard_sigmoid:
                yield f"{layer.name}.{attribute}", _CHANGED_FUNCTION
        if type(layer).__name__ in _CONV_LSTM and (
            layer.cell.recurrent_activation is keras.activations.sigmoid
        ):
            yield f"{layer.name}.recurrent_activation", _CHANGED_DEFAULT
