"""What the files of a checkpoint say, as frozen records. No TensorFlow, no numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path


class Kind(str, Enum):
    """What a checkpoint is, read from its bytes."""

    OBJECT_GRAPH = "tf-object-graph"
    """TF2: `Checkpoint.save`/`write`, `CheckpointManager`, Keras 2 `save_weights`."""
    NAME_BASED = "tf1-name-based"
    """TF1 `Saver` V2: variables by name, no object graph; perhaps a `.meta` beside it."""
    TF1_V1 = "tf1-v1-table"
    """TF1 `Saver` V1: table files."""
    KERAS_WEIGHTS = "keras-weights-h5"
    """Keras 3 layout (`.weights.h5`), also written by late Keras 2."""
    KERAS_WEIGHTS_EARLY = "keras-weights-h5-early"
    """The layout of TF 2.12 and 2.13 (`_layer_checkpoint_dependencies`)."""
    KERAS_WEIGHTS_SHARDED = "keras-weights-json"
    """Keras 3.10+ `.weights.json` with shards."""
    KERAS_ARCHIVE = "keras-archive"
    """A `.keras` zip: config and weights."""
    LEGACY_H5_WEIGHTS = "legacy-h5-weights"
    LEGACY_H5_MODEL = "legacy-h5-model"
    HDF5 = "hdf5"
    """An HDF5 file that was measured but not opened, as `validate` does."""
    SAVED_MODEL = "saved-model"

    @property
    def names_only(self) -> bool:
        """TF1: values by name; a graph may lie in the `.meta` beside them."""
        return self in (Kind.NAME_BASED, Kind.TF1_V1)


class Writer(str, Enum):
    """Which library wrote the file, as far as its bytes tell."""

    KERAS_2 = "keras-2"
    KERAS_3 = "keras-3"
    TENSORFLOW = "tensorflow"
    """No Keras object in it."""
    UNKNOWN = "unknown"


class Role(str, Enum):
    """What a value in a checkpoint is for."""

    MODEL = "model"
    OPTIMIZER = "optimizer"
    COUNTER = "counter"
    """`save_counter`, epochs, steps."""
    TABLE = "table"
    OTHER = "other"
    """Configuration strings, iterator state, metrics, random seeds."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One value stored in a checkpoint."""

    key: str
    dtype: str
    """TensorFlow's name; `variant` and `resource` occur and cannot be read as arrays."""
    shape: tuple[int, ...]
    bytes: int
    role: Role = Role.OTHER
    full_name: str = ""
    """The variable's name when it was saved, where the file keeps it."""
    path: str = ""
    """Where the model has what is stored below an optimizer, as restoring calls it; else empty."""


@dataclass(frozen=True, kw_only=True)
class ObjectNode:
    """One node of `TrackableObjectGraph` (tensorflow's trackable_object_graph.proto)."""

    children: Mapping[str, int]
    attributes: Mapping[str, tuple[str, str]]
    """Attribute (`VARIABLE_VALUE`, ...) to (full name, checkpoint key)."""
    slots: tuple[tuple[int, str, int], ...] = ()
    """(original variable's node, slot name, slot variable's node)."""
    registered_name: str = ""


@dataclass(frozen=True, kw_only=True)
class ObjectGraph:
    """Node 0 is the object that was saved."""

    nodes: tuple[ObjectNode, ...]


@dataclass(frozen=True, kw_only=True)
class CheckpointFiles:
    """One checkpoint on disk, found by its bytes and known to be whole."""

    path: Path
    """Absolute: the prefix of a TensorFlow checkpoint, else the file or folder."""
    kind: Kind
    writer: Writer
    step: int | None
    """From `-<number>` or the last number in the name; None where there is none."""
    files: tuple[Path, ...]
    """Every file that belongs to it, sorted."""
    bytes: int
    notes: tuple[str, ...] = ()
    """What a person should know: how it was chosen, what was normalised."""


@dataclass(frozen=True, kw_only=True)
class CheckpointSummary:
    """What `inspect` shows."""

    files: CheckpointFiles
    entries: tuple[Entry, ...]
    roots: Mapping[str, Role] = field(default_factory=dict)
    """Children of the saved object and what each is; empty for files without an object graph."""
