"""Variables without names as the cause of a failed restore by names."""

from __future__ import annotations

from ckpt_action.engine.restore.mismatch.evidence import Cause, Evidence
from ckpt_action.engine.some_of import some_of

_DEFAULT = ("Variable",)
"""What TensorFlow calls each variable that was given no name; TF1 counted on: `Variable_1`."""


def unnamed(evidence: Evidence) -> Cause | None:
    """A checkpoint of names, and several variables that all have TensorFlow's default name."""
    best = evidence.best
    loose = [*best.missing, *(v for v, _ in best.ambiguous), *(c.variable for c in best.unfit)]
    count = sum(variable.names == _DEFAULT for variable in loose)
    if best.route != "variable names" or count <= 1:
        return None
    stored = {v.key: v for _, values in best.ambiguous for v in values}
    stored |= {v.key: v for v in (*(c.value for c in best.unfit), *best.unused)}
    names = [f"{key} {list(stored[key].shape)}" for key in sorted(stored)]
    shown = some_of(names, 10)
    return Cause(
        f"The checkpoint knows variables by their names alone, and {count} variables of the model "
        "have none: TensorFlow calls each of them `Variable`.",
        'Give each the name that it has in the file, as in `tf.Variable(…, name="Variable_1")`. '
        f"The file has: {shown}.",
    )
