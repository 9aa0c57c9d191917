"""Variables that several objects of the model share: Keras's files may hold them once for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ckpt_action.engine.arrays import digest
from ckpt_action.engine.restore.records import Attempt, LiveVariable, Source, Value
from ckpt_action.engine.some_of import some_of
from ckpt_action.errors import CkptActionError, ExitCode, Problem


def prove_tied(attempt: Attempt, source: Source) -> Attempt:
    """The complete `attempt` with a note on what is stored several times; raises RESTORE where
    the values of one variable differ."""
    problems = [
        _differ(variable, values)
        for variable, values in attempt.tied
        if len({digest(source.read(value.key)) for value in values}) > 1
    ]
    if problems:
        raise CkptActionError(*problems)
    if not attempt.tied:
        return attempt
    shown = some_of([variable.path for variable, _ in attempt.tied], 4)
    note = f"shared in the model, and stored once for each place with equal bytes: {shown}"
    return replace(attempt, notes=(*attempt.notes, note))


def _differ(variable: LiveVariable, values: Sequence[Value]) -> Problem:
    places = " and ".join(value.path for value in values)
    return Problem(
        code=ExitCode.RESTORE,
        message=f"The model has one variable {variable.path} where the checkpoint has "
        f"{len(values)} values that differ: {places}.",
        hint="The code shares between layers what was not shared in the training, or no longer "
        "when it was saved. Build the model as it was trained, with a variable for each of them.",
    )
