"""Lookup tables that neither the code nor the checkpoint fills: each lookup gives the default.

`tf.train.Checkpoint` saves tables that grow while they are used, Keras's own files do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ckpt_action.config.records import Restore
from ckpt_action.engine.objects import Held, resources_among
from ckpt_action.engine.restore.model.finish import layers_among
from ckpt_action.engine.restore.model.lookup_tables import is_empty, is_lookup_layer, live_tables
from ckpt_action.engine.restore.model.variables import readable
from ckpt_action.engine.restore.permissions import allowed
from ckpt_action.engine.restore.records import Attempt, LiveModel
from ckpt_action.errors import CkptActionError, ExitCode, Problem


def allow_unfilled(attempt: Attempt, model: LiveModel, rules: Restore) -> Attempt:
    """The settled `attempt` with what may stay empty; raises RESTORE for each other table."""
    unfilled = list(_unfilled(attempt, model.held))
    refused = [place for place in unfilled if not allowed(rules.allow_missing, [place])]
    if refused:
        raise CkptActionError(*map(_problem, refused))
    if not unfilled:
        return attempt
    note = f"lookup tables that hold nothing, as `allow-missing` says: {', '.join(unfilled)}"
    return replace(attempt, unfilled_allowed=tuple(unfilled), notes=(*attempt.notes, note))


def _unfilled(attempt: Attempt, held: Held) -> Iterator[str]:
    """Where they hang. Of lookup layers without words `vocabularies` speaks."""
    known = [table for table, _ in attempt.tables]
    known += [layer.lookup_table for layer in layers_among(held) if is_lookup_layer(layer)]
    places = {id(item): place for place, item in reversed(resources_among(held))}
    for table in live_tables(held):
        if all(table is not one for one in known) and is_empty(table):
            yield readable(places[id(table)])


def _problem(place: str) -> Problem:
    return Problem(
        code=ExitCode.RESTORE,
        message=f"The lookup table {place} of the model is empty, and the checkpoint holds nothing "
        "for it: every lookup would give the default.",
        hint="Fill it in the code, or restore from a file that holds it: tf.train.Checkpoint saves "
        "tables that are attributes, Keras's weights files hold none. If it is meant to be empty, "
        f"list `{place}` in `allow-missing`.",
    )
