"""Choose the one complete attempt, or say why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ckpt_action.checkpoint.records import CheckpointFiles
from ckpt_action.config.records import Restore, Signature
from ckpt_action.engine.restore.by_graph import GraphRoute
from ckpt_action.engine.restore.by_name import attempt_by_name
from ckpt_action.engine.restore.by_order import attempt_by_order
from ckpt_action.engine.restore.cause import explain
from ckpt_action.engine.restore.flat import attempt_flat
from ckpt_action.engine.restore.graph import CheckpointGraph
from ckpt_action.engine.restore.permissions import refuse_wide
from ckpt_action.engine.restore.records import Attempt, LiveModel, Source
from ckpt_action.engine.restore.roots import attempts
from ckpt_action.engine.restore.saved_state import SavedNames
from ckpt_action.engine.restore.tracked import TrackedNames
from ckpt_action.engine.restore.weights_source import LegacySource, WeightsSource
from ckpt_action.errors import CkptActionError, ExitCode, fail


def choose(
    model: LiveModel,
    source: Source,
    checkpoint: CheckpointFiles,
    rules: Restore,
    declared: Sequence[Signature] = (),
) -> Attempt:
    """The only complete attempt; raises RESTORE where there is none, or more than one."""
    tried = _attempts(model, source, rules)
    complete = _distinct([attempt for attempt in tried if attempt.complete])
    if len(complete) == 1:
        refuse_wide(complete[0], model, rules)
        return complete[0]
    if complete:
        names = ", ".join(repr(attempt.root) for attempt in complete)
        raise fail(
            ExitCode.RESTORE,
            f"{len(complete)} parts of the checkpoint fit the model equally well: {names}.",
            hint="Name the right one with `root` in the model's `restore` table.",
        )
    elsewhere = []
    if rules.root is not None:
        tried_all = _attempts(model, source, replace(rules, root=None))
        elsewhere = [attempt for attempt in tried_all if attempt.complete]
    best = min(tried, key=lambda attempt: attempt.badness)
    raise CkptActionError(explain(best, elsewhere, model, checkpoint.writer, declared))


def _attempts(model: LiveModel, source: Source, rules: Restore) -> list[Attempt]:
    if isinstance(source, LegacySource):
        return [attempt_by_order(model, source, rules)]
    if source.graph is None:
        return [attempt_by_name(model, source, rules)]
    graph = CheckpointGraph(source)
    if isinstance(source, WeightsSource):
        route = GraphRoute(name="keras weights", graph=graph, vocabulary=SavedNames())
    else:
        route = GraphRoute(
            name="object graph", graph=graph, vocabulary=TrackedNames(rules.allow_unused)
        )
    tried = attempts(model, route, rules)
    if not any(attempt.bound for attempt in tried):
        flat = attempt_flat(model, graph, source, rules)
        return [*tried, flat] if flat else tried
    return tried


def _distinct(complete: list[Attempt]) -> list[Attempt]:
    """Attempts that bind the same values to the same variables are one; the shortest root stays."""
    found: dict[frozenset[tuple[str, str]], Attempt] = {}
    for attempt in complete:
        found.setdefault(frozenset((c.variable.path, c.value.key) for c in attempt.bound), attempt)
    return list(found.values())
