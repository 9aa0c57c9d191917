"""Open a checkpoint of any kind as a `Source`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from ckpt_action.checkpoint.bundle import TensorBundle
from ckpt_action.checkpoint.records import CheckpointFiles, Kind, ObjectGraph
from ckpt_action.checkpoint.roles import read_roles
from ckpt_action.engine.arrays import Array
from ckpt_action.engine.restore.records import Source, Value
from ckpt_action.errors import ExitCode, fail


class BundleSource:
    """A TensorFlow checkpoint: by prefix, or the `variables` of a SavedModel."""

    def __init__(self, prefix: Path) -> None:
        self._bundle = TensorBundle(prefix)

    @cached_property
    def values(self) -> Mapping[str, Value]:
        return {
            key: Value(key=key, dtype=entry.dtype, shape=entry.shape, full_name=key, path=key)
            for key, entry in self._bundle.entries.items()
        }

    @cached_property
    def graph(self) -> ObjectGraph | None:
        return self._bundle.object_graph()

    @cached_property
    def optimizers(self) -> frozenset[int]:
        if self.graph is None:
            return frozenset()
        return read_roles(self.graph, self._bundle.entries).optimizers

    def read(self, key: str) -> Array:
        return self._bundle.read(key)


def open_source(checkpoint: CheckpointFiles) -> Source:
    """Raises a CHECKPOINT problem where the kind cannot be restored."""
    if checkpoint.kind in (Kind.OBJECT_GRAPH, Kind.NAME_BASED):
        return BundleSource(checkpoint.path)
    if checkpoint.kind is Kind.SAVED_MODEL:
        return BundleSource(checkpoint.path / "variables" / "variables")
    raise fail(
        ExitCode.CHECKPOINT,
        f"{checkpoint.path.name} is of kind {checkpoint.kind.value}, which cannot be restored.",
    )
