"""Moving averages in the place of the raw weights: `weights = "ema"`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from ckpt_action.engine.restore.optimizer.averages import Averages, averages_in
from ckpt_action.engine.restore.records import Attempt, Candidate, Source, Value
from ckpt_action.engine.some_of import some_of
from ckpt_action.errors import CkptActionError, ExitCode, fail


def averaged(attempt: Attempt, source: Source) -> Attempt:
    """The complete `attempt` with the average of every variable that has one in its place.

    Whether a variable is trainable in the entry point says nothing about the training: it may be
    frozen only now. What was not trained, such as batch statistics and a base that was frozen then,
    has no average, and keeps its value.
    Raises RESTORE where a trainable variable has none, or nothing has one, or where nothing tells
    whose an average is.
    """
    averages = averages_in(attempt.bound, source)
    known: dict[str, dict[str, Value]] = defaultdict(dict)
    for raw, average in averages.found:
        known[raw][average.key] = average
    taken, kept, lacking = [], [], []
    for candidate in attempt.bound:
        several = list(known[candidate.value.key].values())
        if len(several) == 1 and several[0].shape == candidate.variable.shape:
            taken.append(replace(candidate, value=several[0]))
        elif several or candidate.variable.trainable or candidate.value.key in averages.trained:
            lacking.append(candidate)
        else:
            kept.append(candidate)
    _refuse_undecided(attempt.bound, averages)
    if lacking or not taken:
        raise _lacking(lacking, attempt.bound, any_taken=bool(taken))
    found = {id(c.variable): c for c in (*taken, *kept)}
    bound = tuple(found[id(c.variable)] for c in attempt.bound)
    return replace(attempt, bound=bound, notes=(*attempt.notes, _note(len(taken), kept)))


def _note(taken: int, kept: Sequence[Candidate]) -> str:
    note = f"moving averages for {taken} variables"
    raw = [c.variable.path for c in kept if "float" in c.variable.dtype]
    if not raw:
        return note
    return f"{note}; {len(raw)} that are not trainable have none and are raw: {some_of(raw, 10)}"


def _refuse_undecided(bound: Sequence[Candidate], averages: Averages) -> None:
    """Raise RESTORE where an average may be that of a bound value, and of another one."""
    found = [c for c in bound if c.value.key in averages.undecided]
    if found:
        rivals = averages.undecided[found[0].value.key]
        raise fail(
            ExitCode.RESTORE,
            f"Nothing tells whose the moving averages of {len(found)} variables are: the "
            f"checkpoint knows averages by the names of variables alone, and "
            f"{len(rivals)} of its values are called {found[0].value.full_name!r}.",
            hint="Save again with an optimizer that its model holds (`model.compile(optimizer)`), "
            "with names of layers that differ between the models, or after the averages were "
            'written into the weights. Or leave out `weights = "ema"`.',
            details=[
                f"{c.variable.path}: {', '.join(averages.undecided[c.value.key])}" for c in found
            ],
        )


def _lacking(
    lacking: Sequence[Candidate], bound: Sequence[Candidate], *, any_taken: bool
) -> CkptActionError:
    if not any_taken:
        lacking = [c for c in bound if c.variable.trainable] or bound
        hint = (
            'Leave out `weights = "ema"`, or save the optimizer that keeps the averages in the '
            "checkpoint, after its first step."
        )
    else:
        hint = (
            "If they were frozen in the training, let the entry point freeze them too "
            "(`trainable = False`): then they keep their raw values. If they were trained by an "
            'optimizer without averages, leave out `weights = "ema"`.'
        )
    trainable = sum(c.variable.trainable for c in bound)
    known = f"{trainable} trainable variables" if trainable else f"{len(bound)} variables"
    return fail(
        ExitCode.RESTORE,
        f"The checkpoint has no moving average for {len(lacking)} of {known}.",
        hint=hint,
        details=[c.variable.path for c in lacking],
    )
