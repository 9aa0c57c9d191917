"""The whole restore: find the one complete binding, assign, read back, account."""

from __future__ import annotations

from collections.abc import Sequence

from ckpt_action.checkpoint.records import CheckpointFiles, Role, Writer
from ckpt_action.config.records import Restore, Signature
from ckpt_action.engine.records import ModelVariable, Rebuilt, Restored
from ckpt_action.engine.restore.assign import fill
from ckpt_action.engine.restore.choose import choose
from ckpt_action.engine.restore.model.finish import finish, layers_among
from ckpt_action.engine.restore.model.lookup_tables import fill_tables
from ckpt_action.engine.restore.model.metrics import likely_metrics
from ckpt_action.engine.restore.model.variables import live_model
from ckpt_action.engine.restore.names import undecided
from ckpt_action.engine.restore.optimizer.ema import averaged
from ckpt_action.engine.restore.own_code.assets import load_own_assets
from ckpt_action.engine.restore.own_code.variables import load_by_own_code, refuse_other_values
from ckpt_action.engine.restore.permissions import idle
from ckpt_action.engine.restore.records import Attempt, LiveModel
from ckpt_action.engine.restore.sources.parts import PartsSource
from ckpt_action.engine.restore.sources.source import open_source
from ckpt_action.engine.restore.tables.lookups import settle_tables
from ckpt_action.engine.restore.tables.unfilled import allow_unfilled
from ckpt_action.engine.restore.tables.vocabularies import refuse_order_alone, restore_vocabularies
from ckpt_action.engine.restore.tables.words import give_words
from ckpt_action.engine.restore.tied import prove_tied
from ckpt_action.outcome import BindingRecord


def restore(
    rebuilt: Rebuilt,
    checkpoint: CheckpointFiles,
    rules: Restore,
    declared: Sequence[Signature] = (),
) -> Restored:
    """Give every variable of the model its value, or raise RESTORE with both lists.

    The binding is computed from the model's own variables and from the file, never taken from
    TensorFlow's restore. A variable may keep its initial value only where `allow-missing` says
    so, and a value may stay unused only where `allow-unused` says so. `declared`: the signatures
    that a person wrote, to be named where their shapes are the likely cause.
    """
    source = open_source(checkpoint)
    if parts := getattr(rebuilt.model, "parts", None) if rebuilt.family == "graph" else None:
        source = PartsSource(source, parts)

    def bind(model: LiveModel) -> Attempt:
        attempt = prove_tied(choose(model, source, checkpoint, rules, declared), source)
        if rules.weights == "ema":
            attempt = averaged(attempt, source)
        return allow_unfilled(settle_tables(attempt, model, source, rules), model, rules)

    def bound_again(other: Rebuilt) -> tuple[ModelVariable, ...]:
        model = live_model(other)
        return _variables(model, bind(model))

    model = live_model(rebuilt)
    attempt = bind(model)
    kept = {id(v.variable) for v in attempt.missing_allowed}
    filled = [v for v in model.own() if id(v.variable) not in kept]
    layers = layers_among(rebuilt.held)
    own_loads = load_by_own_code(layers, attempt.bound, source, checkpoint.kind)
    problems = fill(filled, attempt.bound, source)
    refuse_other_values(own_loads)
    rebuilt.fill_kept()
    fill_tables(attempt.tables, source)
    give_words(attempt.vocabularies, source)
    if not rebuilt.from_file:
        refuse_order_alone(model.root, checkpoint)
    load_own_assets(model.root, checkpoint)
    restore_vocabularies(model, layers, checkpoint)
    finish(layers)
    return Restored(
        rebuilt=rebuilt,
        variables=_variables(model, attempt),
        binding=_record(rebuilt, checkpoint, model, attempt),
        bound_again=bound_again,
        tables=tuple(table for table, _ in attempt.tables),
        lookups=tuple(layer for layer, _ in attempt.vocabularies),
        problems=(
            *problems,
            *undecided(attempt.bound),
            *likely_metrics(attempt),
            *idle(attempt, rules),
        ),
    )


def _variables(model: LiveModel, attempt: Attempt) -> tuple[ModelVariable, ...]:
    """Of several keys of one variable the last, whatever the order of the model."""
    bound = sorted(attempt.bound, key=lambda c: c.value.key)
    keys = {id(c.variable.variable): c.value.key for c in bound}
    return tuple(
        ModelVariable(path=v.path, variable=v.variable, source=keys.get(id(v.variable), ""))
        for v in model.variables
    )


def _record(
    rebuilt: Rebuilt, checkpoint: CheckpointFiles, model: LiveModel, attempt: Attempt
) -> BindingRecord:
    notes = list(attempt.notes)
    if checkpoint.writer is Writer.KERAS_2 and rebuilt.family == "keras-3":
        notes.append("values of Keras 2 mapped onto the layers of Keras 3")
    if attempt.root and attempt.ignored.get(Role.MODEL):
        count = attempt.ignored[Role.MODEL]
        notes.append(f"{count} values of the checkpoint belong to other parts than {attempt.root}")
    return BindingRecord(
        route=attempt.route,
        keras=rebuilt.keras_version or "none",
        root=attempt.root,
        bound=len(attempt.bound),
        missing_allowed=tuple(v.path for v in attempt.missing_allowed),
        unused_allowed=tuple(v.path for v in attempt.unused_allowed),
        ignored={role.value: count for role, count in sorted(attempt.ignored.items())},
        state=tuple(v.path for v in model.variables if v.state),
        notes=tuple(notes),
    )
