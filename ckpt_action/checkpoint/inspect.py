"""What a checkpoint holds: every value with its shape, dtype and role. No TensorFlow, no numpy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ckpt_action.checkpoint.bundle import TensorBundle
from ckpt_action.checkpoint.bundle_index import BundleEntry
from ckpt_action.checkpoint.described import describe
from ckpt_action.checkpoint.object_graph import GRAPH_KEY
from ckpt_action.checkpoint.records import (
    CheckpointFiles,
    CheckpointSummary,
    Entry,
    Kind,
    Role,
)
from ckpt_action.checkpoint.roles import Roles, read_roles

_TF1_SLOTS = re.compile(
    r"(Adam|Momentum|RMSProp|Adagrad|Adadelta|Ftrl)(_1)?|ExponentialMovingAverage"
)
"""Names that TF1's optimizers and moving averages append to a variable's name."""
_TF1_STATE = ("beta1_power", "beta2_power")


def summarize(checkpoint: CheckpointFiles) -> CheckpointSummary:
    """Every value in `checkpoint`; HDF5 needs h5py. Raises CkptActionError where it is damaged."""
    if checkpoint.kind in (Kind.OBJECT_GRAPH, Kind.NAME_BASED, Kind.SAVED_MODEL):
        return _bundle(checkpoint)
    containers = (Kind.KERAS_ARCHIVE, Kind.KERAS_WEIGHTS_SHARDED)
    container = checkpoint.kind if checkpoint.kind in containers else Kind.HDF5
    return CheckpointSummary(files=checkpoint, entries=describe(checkpoint.path, container).entries)


def _bundle(checkpoint: CheckpointFiles) -> CheckpointSummary:
    saved_model = checkpoint.kind is Kind.SAVED_MODEL
    bundle = TensorBundle(
        checkpoint.path / "variables" / "variables" if saved_model else checkpoint.path
    )
    graph = bundle.object_graph()
    if graph is None:
        return CheckpointSummary(files=checkpoint, entries=_by_name(bundle.entries))
    roles = read_roles(graph, bundle.entries)
    entries = tuple(_entry(entry, roles) for entry in bundle.entries.values())
    return CheckpointSummary(files=checkpoint, entries=entries, roots=roles.roots)


def _entry(entry: BundleEntry, roles: Roles) -> Entry:
    loose = Role.OTHER if _is_no_value(entry) else Role.MODEL
    return Entry(
        key=entry.key,
        dtype=entry.dtype,
        shape=entry.shape,
        bytes=entry.bytes,
        role=roles.by_key.get(entry.key, loose),
        full_name=roles.full_names.get(entry.key, ""),
    )


def _is_no_value(entry: BundleEntry) -> bool:
    return entry.key == GRAPH_KEY or entry.dtype in ("string", "variant", "resource")


def _by_name(entries: Mapping[str, BundleEntry]) -> tuple[Entry, ...]:
    """TF1 knows only names: a slot is named after its variable and has the variable's shape."""
    nothing = Roles(by_key={}, full_names={}, roots={}, optimizers=frozenset())
    return tuple(
        replace(_entry(entry, nothing), full_name=key, role=_role_by_name(entry, entries))
        for key, entry in entries.items()
    )


def _role_by_name(entry: BundleEntry, entries: Mapping[str, BundleEntry]) -> Role:
    owner, _, slot = entry.key.rpartition("/")
    owned = owner in entries and entries[owner].shape == entry.shape
    if (owned and _TF1_SLOTS.fullmatch(slot)) or (slot in _TF1_STATE and entry.shape == ()):
        return Role.OPTIMIZER
    if slot == "global_step" and entry.shape == ():
        return Role.COUNTER
    return Role.OTHER if _is_no_value(entry) else Role.MODEL
