"""Layers that compute something else in Keras 3 than in the Keras 2 that trained them.

Every layer of both Kerases was run with equal weights on equal inputs (TensorFlow 2.15 against
2.21): apart from integer dtypes of category outputs, `hard_sigmoid` alone has changed, and with it
the default recurrent activation of ConvLSTM. The weights fit, so nothing else would notice.
"""

from __future__ import annotations

from typing import Any

from ckpt_action.checkpoint.records import Writer
from ckpt_action.engine.kerases import keras_family, loaded_keras
from ckpt_action.engine.objects import walk
from ckpt_action.errors import ExitCode, Problem, Severity
from ckpt_action.plan import Job


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
    return tuple(
        Problem(
            code=ExitCode.REBUILD,
            severity=severity,
            message=f"{place} is hard_sigmoid, which in Keras 3 is relu6(x + 3) / 6; "
            f"{'the checkpoint is of' if certain else 'if the checkpoint is of'} Keras 2, where it "
            "is clip(0.2 * x + 0.5, 0, 1). All weights fit, the outputs differ.",
            hint='Set `keras = "2"` (needs tf-keras), or pass the function '
            "`lambda x: tf.clip_by_value(0.2 * x + 0.5, 0.0, 1.0)` in its place"
            + ("." if proven_otherwise else "; a golden file would settle it."),
        )
        for place in _places(model, keras.activations.hard_sigmoid)
    )


def _places(model: Any, function: Any) -> list[str]:
    """`layer.attribute` of every Keras 3 layer that holds `function` itself."""
    return [
        f"{item.name}.{attribute}"
        for _, item in walk(model)
        if keras_family(item) == "keras-3"
        for attribute, value in vars(item).items()
        if value is function
    ]
