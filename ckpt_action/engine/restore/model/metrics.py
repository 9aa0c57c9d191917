"""Values that were ignored as those of a metric which the code no longer has."""

from __future__ import annotations

from ckpt_action.engine.restore.records import Attempt
from ckpt_action.errors import ExitCode, Problem, warning


def likely_metrics(attempt: Attempt) -> tuple[Problem, ...]:
    """A warning where only `total` and `count` say that an object was a metric: a normaliser that
    the code has lost may have called its variables so too."""
    if not attempt.likely_metrics:
        return ()
    places = ", ".join(attempt.likely_metrics)
    return (
        warning(
            ExitCode.RESTORE,
            f"The values `total` and `count` of {places} in the checkpoint were taken for "
            "those of a metric and ignored: the code has nothing there.",
            hint="If it was no metric but a part of the model, give it back to the code; a golden "
            "file settles it.",
            details=attempt.likely_metrics,
        ),
    )
