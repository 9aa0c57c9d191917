"""A frozen graph, opened from its files and run by TensorFlow itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import graph_pb2

from ckpt_action.engine.arrays import numpy_dtype
from ckpt_action.engine.freeze.io_json import read_io
from ckpt_action.engine.freeze.scan import Array, GraphFile, Stored
from ckpt_action.engine.op_libraries import load_op_libraries
from ckpt_action.engine.unreadable import finding
from ckpt_action.errors import ExitCode, Where, fail
from ckpt_action.outcome import SignatureRecord, TensorRecord


class FrozenGraphArtifact:
    """See `engine.records.Artifact`.

    TensorFlow imports the whole file, at about seven times the file's size in memory. Above
    `whole_limit` bytes it imports all but the large payloads, which are fed from the file.
    """

    whole_limit = 256 << 20

    def __init__(self, folder: Path, op_libraries: tuple[Path, ...]) -> None:
        load_op_libraries(op_libraries)
        self._io = read_io(folder)
        self._file = GraphFile(self._io.graph)
        self._session: Any = None
        self._fed: dict[str, Array] = {}

    def signatures(self) -> tuple[SignatureRecord, ...]:
        return self._io.signatures

    def stand_in(self) -> str:
        return ""

    def notes(self) -> tuple[str, ...]:
        """What a person should know about how this artifact was run."""
        if len(self._file) <= self.whole_limit:
            return ()
        note = (
            "TensorFlow parsed the graph without its large weights, which were fed from the "
            "file's bytes: importing the file whole takes about seven times its size in memory."
        )
        return (note,)

    def run(self, signature: str, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        (record,) = (s for s in self._io.signatures if s.name == signature)
        with finding("run", self._io.graph):
            values = self._call(record, inputs)()
        return {t.name: np.asarray(values[t.name], numpy_dtype(t.dtype)) for t in record.outputs}

    def repeated(self, signature: str, inputs: Mapping[str, Array]) -> Callable[[], object]:
        (record,) = (s for s in self._io.signatures if s.name == signature)
        return self._call(record, inputs)

    def _call(
        self, record: SignatureRecord, inputs: Mapping[str, Array]
    ) -> Callable[[], Mapping[str, Any]]:
        if self._session is None:
            self._session = self._open()
        feeds = {str(t.tensor): inputs[t.name] for t in record.inputs}
        fetches = {t.name: str(t.tensor) for t in record.outputs}
        return lambda: dict(self._session.run(fetches, feeds | self._fed))

    def payloads(self) -> Iterator[tuple[str, str]]:
        """(Const node, digest) of every weight that the description names."""
        missing = set(self._io.weights)
        for stored in self._file.nodes():
            if stored.node.op == "Const" and stored.node.name in missing:
                missing.remove(stored.node.name)
                yield stored.node.name, self._file.digest(stored)
        if missing:
            raise self._broken(f"has no constant {min(missing)!r}")

    def _open(self) -> Any:
        graph = tf.Graph()
        with finding("imported by TensorFlow", self._io.graph), graph.as_default():
            tf.graph_util.import_graph_def(self._definition(), name="")
        for signature in self._io.signatures:
            for tensor in (*signature.inputs, *signature.outputs):
                self._check(graph, tensor)
        config = tf.compat.v1.ConfigProto()
        # The graph as it is written: no rewriting and no folding of constants.
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        config.graph_options.optimizer_options.opt_level = -1
        return tf.compat.v1.Session(graph=graph, config=config)

    def _definition(self) -> Any:
        if len(self._file) <= self.whole_limit:
            return graph_pb2.GraphDef.FromString(self._io.graph.read_bytes())
        definition = graph_pb2.GraphDef.FromString(self._file.rest())
        for stored in self._file.nodes():
            definition.node.append(stored.node if stored.payload is None else self._feed(stored))
        return definition

    def _feed(self, stored: Stored) -> Any:
        """A Placeholder instead of a large Const; its value is fed at each call."""
        self._fed[f"{stored.node.name}:0"] = self._file.value(stored)
        node = type(stored.node)(name=stored.node.name, op="Placeholder")
        node.attr["dtype"].type = stored.node.attr["dtype"].type
        node.attr["shape"].shape.CopyFrom(stored.node.attr["value"].tensor.tensor_shape)
        return node

    def _check(self, graph: Any, tensor: TensorRecord) -> None:
        try:
            found = graph.get_tensor_by_name(tensor.tensor)
        except (KeyError, TypeError, ValueError):
            raise self._broken(f"has no tensor {tensor.tensor!r}") from None
        if found.dtype.name != tensor.dtype:
            raise self._broken(f"has {tensor.tensor!r} as {found.dtype.name}, not {tensor.dtype}")

    def _broken(self, what: str) -> Exception:
        return fail(
            ExitCode.VERIFY,
            f"{self._io.graph.name} {what}, which its .io.json names.",
            where=Where(file=str(self._io.graph)),
        )
