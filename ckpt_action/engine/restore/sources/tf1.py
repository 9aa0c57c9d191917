"""TF1 checkpoints of the V1 format: table files, read by TensorFlow itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from ckpt_action.checkpoint.records import ObjectGraph, Role
from ckpt_action.checkpoint.tf1_table import table_files
from ckpt_action.engine.arrays import Array
from ckpt_action.engine.restore.records import Value
from ckpt_action.engine.restore.sources.loading import OneByOne
from ckpt_action.errors import ExitCode, fail


class Tf1Source(OneByOne):
    """Values by name, without an object graph."""

    graph: ObjectGraph | None = None
    optimizers: frozenset[int] = frozenset()
    set_aside: Mapping[Role, int] = {}

    def __init__(self, path: Path) -> None:
        try:
            self._reader = tf.train.load_checkpoint(_pattern(path))
        except (tf.errors.OpError, ValueError) as error:
            raise fail(
                ExitCode.CHECKPOINT, f"{path.name} cannot be read as a TF1 checkpoint: {error}"
            ) from None
        dtypes = self._reader.get_variable_to_dtype_map()
        self.values = {
            key: Value(key=key, dtype=dtypes[key].name, shape=tuple(shape), full_name=key, path=key)
            for key, shape in sorted(self._reader.get_variable_to_shape_map().items())
        }

    def read(self, key: str) -> Array:
        return np.asarray(self._reader.get_tensor(key))


def _pattern(path: Path) -> str:
    """How TensorFlow is told of several files."""
    count = len(table_files(path))
    return str(path) if path.is_file() else f"{path}-?????-of-{count:05}"
