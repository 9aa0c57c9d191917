"""What a checkpoint holds: every value with its shape, dtype and role. No TensorFlow, no numpy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ckpt_action.checkpoint.bundle import TensorBundle
from ckpt_action.checkpoint.bundle_index import BundleEntry
from ckpt_action.checkpoint.hdf5_process import describe
from ckpt_action.checkpoint.object_graph import GRAPH_KEY
from ckpt_action.checkpoint.records import (
    CheckpointFiles,
    CheckpointSummary,
    Entry,
    Kind,
    Role,
)
from ckpt_action.checkpoint.roles import Roles, read_roles
from ckpt_action.checkpoint.tf1_roles import optimizer_state
from ckpt_action.checkpoint.tf1_table import table_files, table_values

_NO_VALUES = ("string", "variant", "resource")


def summarize(checkpoint: CheckpointFiles) -> CheckpointSummary:
    """Every value in `checkpoint`; HDF5 needs h5py. Raises CkptActionError where it is damaged."""
    if checkpoint.kind in (Kind.OBJECT_GRAPH, Kind.NAME_BASED, Kind.SAVED_MODEL):
        return _bundle(checkpoint)
    if checkpoint.kind is Kind.TF1_V1:
        entries = _by_name(table_values(table_files(checkpoint.path)))
        return CheckpointSummary(files=checkpoint, entries=entries)
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
        named = [_entry(entry, Role.MODEL, entry.key) for entry in bundle.entries.values()]
        return CheckpointSummary(files=checkpoint, entries=_by_name(named))
    roles = read_roles(graph, bundle.entries)
    entries = tuple(_by_graph(entry, roles) for entry in bundle.entries.values())
    return CheckpointSummary(files=checkpoint, entries=entries, roots=roles.roots)


def _by_graph(entry: BundleEntry, roles: Roles) -> Entry:
    loose = Role.OTHER if entry.key == GRAPH_KEY or entry.dtype in _NO_VALUES else Role.MODEL
    role = roles.by_key.get(entry.key, loose)
    found = _entry(entry, role, roles.full_names.get(entry.key, ""))
    return replace(found, path=roles.paths.get(entry.key, ""))


def _entry(entry: BundleEntry, role: Role, full_name: str) -> Entry:
    return Entry(
        key=entry.key,
        dtype=entry.dtype,
        shape=entry.shape,
        bytes=entry.bytes,
        role=role,
        full_name=full_name,
    )


def _by_name(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    named = {entry.key: entry for entry in entries}
    state = optimizer_state({key: entry.shape for key, entry in named.items()})
    return tuple(replace(e, role=_role_by_name(e, state)) for e in named.values())


def _role_by_name(entry: Entry, state: frozenset[str]) -> Role:
    if entry.dtype in _NO_VALUES:
        return Role.OTHER
    if entry.key in state:
        return Role.OPTIMIZER
    counts = entry.shape == () and entry.key.rpartition("/")[2] == "global_step"
    return Role.COUNTER if counts else Role.MODEL
