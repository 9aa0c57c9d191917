"""A graph model, opened from its files and run by TensorFlow.js where that is at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ckpt_action.engine.arrays import Array, digest
from ckpt_action.engine.tfjs.model_file import read_model
from ckpt_action.engine.tfjs.node import NodeRunner, node_packages
from ckpt_action.engine.tfjs.read_back import ReadBack
from ckpt_action.outcome import SignatureRecord


class TFJSArtifact:
    """See `engine.records.Artifact`."""

    def __init__(self, folder: Path) -> None:
        self._model = read_model(folder)
        node = node_packages()
        self._runner: NodeRunner | ReadBack = (
            ReadBack(self._model) if node is None else NodeRunner(self._model, node)
        )

    def signatures(self) -> tuple[SignatureRecord, ...]:
        return (self._model.signature,)

    def notes(self) -> tuple[str, ...]:
        return (self._runner.note,)

    def run(self, signature: str, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        assert signature == self._model.signature.name
        return self._runner.run(inputs)

    def payloads(self) -> Iterator[tuple[str, str]]:
        """(weight, digest of the stored values) of every weight that is stored as it is."""
        for weight in self._model.weights.values():
            if weight.quantization is None:
                yield weight.name, digest(weight.value)
