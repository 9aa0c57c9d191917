"""Choose the one complete attempt, or say why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ckpt_action.checkpoint.records import CheckpointFiles
from ckpt_action.config.records import Restore, Signature
from ckpt_action.engine.restore.match.by_graph import GraphRoute
from ckpt_action.engine.restore.match.by_name import attempt_by_name
from ckpt_action.engine.restore.match.by_order import attempt_by_order
from ckpt_action.engine.restore.match.flat import attempt_flat
from ckpt_action.engine.restore.match.saved_state import SavedNames
from ckpt_action.engine.restore.match.tracked import TrackedNames
from ckpt_action.engine.restore.mismatch.cause import explain
from ckpt_action.engine.restore.model.wrapped import wrapped
from ckpt_action.engine.restore.permissions import refuse_wide
from ckpt_action.engine.restore.records import Attempt, LiveModel, Source
from ckpt_action.engine.restore.roots import attempts, deeper_attempts
from ckpt_action.engine.restore.sources.graph import CheckpointGraph
from ckpt_action.engine.restore.sources.weights import LegacySource, WeightsSource
from ckpt_action.errors import CkptActionError, ExitCode, fail


def choose(
    model: LiveModel,
    source: Source,
    checkpoint: CheckpointFiles,
    rules: Restore,
    declared: Sequence[Signature] = (),
) -> Attempt:
    """The only complete attempt; raises RESTORE where there is none, or more than one."""
    route = _route(source, rules)
    tried = _attempts(model, source, route, rules)
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
        tried_all = _attempts(model, source, route, replace(rules, root=None))
        elsewhere = [attempt for attempt in tried_all if attempt.complete]
    best = min(tried, key=lambda attempt: attempt.badness)
    raise CkptActionError(explain(best, elsewhere, model, checkpoint.writer, declared))


def _attempts(
    model: LiveModel, source: Source, route: GraphRoute | None, rules: Restore
) -> list[Attempt]:
    """The checkpoint may be that of a model which the model only wraps: then that one is laid
    over it, and must be filled as completely."""
    tried = _attempts_at(model, source, route, rules)
    if any(attempt.complete for attempt in tried):
        return tried
    for place, part in wrapped(model):
        note = f"the checkpoint is that of `{place}` inside the model"
        tried += [
            replace(attempt, notes=(*attempt.notes, note))
            for attempt in _attempts_at(replace(model, root=part), source, route, rules)
        ]
    if route is None or rules.root is not None or any(attempt.complete for attempt in tried):
        return tried
    return [*tried, *deeper_attempts(model, route, rules)]


def _attempts_at(
    model: LiveModel, source: Source, route: GraphRoute | None, rules: Restore
) -> list[Attempt]:
    if isinstance(source, LegacySource):
        return [attempt_by_order(model, source, rules)]
    if route is None:
        return [attempt_by_name(model, source, rules)]
    tried = attempts(model, route, rules)
    if not any(attempt.bound for attempt in tried):
        flat = attempt_flat(model, route.graph, source, rules)
        return [*tried, flat] if flat else tried
    return tried


def _route(source: Source, rules: Restore) -> GraphRoute | None:
    """How to read a file that knows how its values hang together."""
    if source.graph is None:
        return None
    graph = CheckpointGraph(source)
    if isinstance(source, WeightsSource):
        return GraphRoute(name="keras weights", graph=graph, vocabulary=SavedNames())
    return GraphRoute(name="object graph", graph=graph, vocabulary=TrackedNames(rules.allow_unused))


def _distinct(complete: list[Attempt]) -> list[Attempt]:
    """Attempts that bind the same values to the same variables are one; the shortest root stays."""
    found: dict[frozenset[tuple[str, str]], Attempt] = {}
    for attempt in complete:
        found.setdefault(frozenset((c.variable.path, c.value.key) for c in attempt.bound), attempt)
    return list(found.values())
