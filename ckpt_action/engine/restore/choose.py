"""Choose the one complete attempt, or say why there is none."""

from __future__ import annotations

from ckpt_action.config.records import Restore
from ckpt_action.engine.restore.diff import explain
from ckpt_action.engine.restore.graph import CheckpointGraph
from ckpt_action.engine.restore.records import Attempt, LiveModel, Source
from ckpt_action.engine.restore.roots import attempts
from ckpt_action.errors import CkptActionError, ExitCode, fail


def choose(model: LiveModel, source: Source, rules: Restore) -> Attempt:
    """The only complete attempt; raises RESTORE where there is none, or more than one."""
    tried = attempts(model, CheckpointGraph(source), rules)
    complete = _distinct([attempt for attempt in tried if attempt.complete])
    if len(complete) == 1:
        return complete[0]
    if complete:
        names = ", ".join(repr(attempt.root) for attempt in complete)
        raise fail(
            ExitCode.RESTORE,
            f"{len(complete)} parts of the checkpoint fit the model equally well: {names}.",
            hint="Name the right one with `root` in the model's `restore` table.",
        )
    raise CkptActionError(explain(min(tried, key=lambda a: a.badness), model))


def _distinct(complete: list[Attempt]) -> list[Attempt]:
    """Attempts that bind the same values to the same variables are one; the shortest root stays."""
    found: dict[frozenset[tuple[str, str]], Attempt] = {}
    for attempt in complete:
        found.setdefault(frozenset((c.variable.path, c.value.key) for c in attempt.bound), attempt)
    return list(found.values())
