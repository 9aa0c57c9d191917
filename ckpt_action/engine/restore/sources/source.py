"""Open a checkpoint of any kind as a `Source`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from ckpt_action.checkpoint.bundle import TensorBundle
from ckpt_action.checkpoint.hdf5 import Hdf5Weights
from ckpt_action.checkpoint.keras_archive import KerasArchive, shard_names
from ckpt_action.checkpoint.records import CheckpointFiles, Kind, ObjectGraph, Role
from ckpt_action.checkpoint.roles import read_roles
from ckpt_action.engine.arrays import Array
from ckpt_action.engine.restore.records import Source, Value
from ckpt_action.engine.restore.sources.loading import Loaded, load_from_bundle
from ckpt_action.engine.restore.sources.tf1 import Tf1Source
from ckpt_action.engine.restore.sources.weights import LegacySource, WeightsSource
from ckpt_action.errors import ExitCode, fail


class BundleSource:
    """A TensorFlow checkpoint: by prefix, or the `variables` of a SavedModel."""

    set_aside: Mapping[Role, int] = {}

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

    def load(self, keys: Sequence[str]) -> Iterator[Loaded]:
        return load_from_bundle(self._bundle, keys)


def open_source(checkpoint: CheckpointFiles) -> Source:
    """Raises a CHECKPOINT problem where the kind cannot be restored."""
    opener = _OPENERS.get(checkpoint.kind)
    if opener is None:
        raise fail(
            ExitCode.CHECKPOINT,
            f"{checkpoint.path.name} is of kind {checkpoint.kind.value}, which cannot be restored.",
        )
    return opener(checkpoint.path)


def _saved_model(path: Path) -> Source:
    return BundleSource(path / "variables" / "variables")


def _weights(path: Path) -> Source:
    return WeightsSource([Hdf5Weights(path)])


def _sharded(path: Path) -> Source:
    names = shard_names(path, path.read_text("utf-8"))
    return WeightsSource([Hdf5Weights(path.with_name(name)) for name in names])


def _archive(path: Path) -> Source:
    archive = KerasArchive(path)
    return WeightsSource([Hdf5Weights(path, archive.content(name)) for name in archive.shards])


def _legacy(path: Path) -> Source:
    return LegacySource(Hdf5Weights(path))


_OPENERS: Mapping[Kind, Callable[[Path], Source]] = {
    Kind.OBJECT_GRAPH: BundleSource,
    Kind.NAME_BASED: BundleSource,
    Kind.TF1_V1: Tf1Source,
    Kind.SAVED_MODEL: _saved_model,
    Kind.KERAS_WEIGHTS: _weights,
    Kind.KERAS_WEIGHTS_EARLY: _weights,
    Kind.KERAS_WEIGHTS_SHARDED: _sharded,
    Kind.KERAS_ARCHIVE: _archive,
    Kind.LEGACY_H5_WEIGHTS: _legacy,
    Kind.LEGACY_H5_MODEL: _legacy,
}
