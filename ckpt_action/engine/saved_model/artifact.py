"""A SavedModel, opened from its files and run through its signatures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.checkpoint.bundle import TensorBundle
from ckpt_action.checkpoint.object_graph import GRAPH_KEY
from ckpt_action.engine.arrays import digest, numpy_dtype
from ckpt_action.engine.freeze.graph import reached_nodes
from ckpt_action.engine.op_libraries import load_op_libraries
from ckpt_action.engine.saved_model.signature_defs import read_signatures
from ckpt_action.engine.trace.op_kinds import writes_state
from ckpt_action.engine.unreadable import finding
from ckpt_action.outcome import SignatureRecord

Array = np.ndarray[Any, Any]


class SavedModelArtifact:
    """See `engine.records.Artifact`."""

    def __init__(self, folder: Path, op_libraries: tuple[Path, ...]) -> None:
        load_op_libraries(op_libraries)
        self._folder = folder
        self._signatures = read_signatures(folder)
        self._loaded: Any = None
        self._steady: dict[str, bool] = {}
        """Signature to whether calling it leaves everything as it was."""

    def signatures(self) -> tuple[SignatureRecord, ...]:
        return self._signatures

    def stand_in(self) -> str:
        return ""

    def notes(self) -> tuple[str, ...]:
        return ()

    def run(self, signature: str, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        function, feeds = self._call(signature, inputs)
        with finding("run", self._folder):
            outputs = function(**feeds)
        values = {
            name: np.asarray(tensor.numpy(), numpy_dtype(tensor.dtype.name))
            for name, tensor in outputs.items()
        }
        if signature not in self._steady:
            self._steady[signature] = not _changes_state(function)
        if not self._steady[signature]:
            self._loaded = None  # the next call starts from the files again
        return values

    def repeated(self, signature: str, inputs: Mapping[str, Array]) -> Callable[[], object]:
        function, feeds = self._call(signature, inputs)
        return lambda: [tensor.numpy() for tensor in function(**feeds).values()]

    def _call(self, signature: str, inputs: Mapping[str, Array]) -> tuple[Any, dict[str, Any]]:
        if self._loaded is None:
            with finding("loaded by TensorFlow", self._folder):
                self._loaded = tf.saved_model.load(str(self._folder))
        (record,) = (s for s in self._signatures if s.name == signature)
        feeds = {t.name: tf.constant(inputs[t.name], t.dtype) for t in record.inputs}
        return self._loaded.signatures[signature], feeds

    def payloads(self) -> Iterator[tuple[str, str]]:
        """(checkpoint key, digest) of every value in `variables/`."""
        bundle = bundle_of(self._folder)
        for key in stored_values(bundle):
            if bundle.entries[key].dtype == "string":
                yield key, digest(bundle.read(key))
            else:
                yield key, hashlib.sha256(bundle.raw(key)).hexdigest()


def bundle_of(folder: Path) -> TensorBundle:
    return TensorBundle(folder / "variables" / "variables")


def stored_values(bundle: TensorBundle) -> list[str]:
    """Keys of the values in a SavedModel's `variables/`, sorted."""
    return [key for key in bundle.entries if key != GRAPH_KEY]


def _changes_state(function: Any) -> bool:
    return any(writes_state(node.op) for node in reached_nodes(function.graph.as_graph_def()))
