"""A graph model, opened from its files and run by TensorFlow.js where that is at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ckpt_action.engine.arrays import Array, digest
from ckpt_action.engine.tfjs.model_file import MODEL, read_model
from ckpt_action.engine.tfjs.node import NodeRunner, node_packages
from ckpt_action.engine.tfjs.read_back import ReadBack
from ckpt_action.outcome import SignatureRecord


class TFJSArtifact:
    """See `engine.records.Artifact`."""

    def __init__(self, folder: Path) -> None:
        folders = {"": folder} if (folder / MODEL).exists() else _by_signature(folder)
        models = {prefix: read_model(place) for prefix, place in folders.items()}
        node = node_packages()
        self._models = models
        self._by_tfjs = node is not None
        self._runners: dict[str, NodeRunner | ReadBack] = {
            model.signature.name: ReadBack(model) if node is None else NodeRunner(model, node)
            for model in models.values()
        }

    def signatures(self) -> tuple[SignatureRecord, ...]:
        return tuple(model.signature for model in self._models.values())

    def stand_in(self) -> str:
        return "" if self._by_tfjs else "TensorFlow"

    def notes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(runner.note for runner in self._runners.values()))

    def run(self, signature: str, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        return self._runners[signature].run(inputs)

    def repeated(self, signature: str, inputs: Mapping[str, Array]) -> Callable[[], object]:
        """See `engine.records.Timed`."""
        runner = self._runners[signature]
        assert isinstance(runner, NodeRunner), "what stands in is not timed"
        return runner.repeated(inputs)

    def payloads(self) -> Iterator[tuple[str, str]]:
        """(weight, digest of the stored values) of every weight that is stored as it is."""
        for prefix, model in self._models.items():
            for weight in model.weights.values():
                if weight.quantization is None:
                    yield prefix + weight.name, digest(weight.value)


def _by_signature(folder: Path) -> dict[str, Path]:
    """Prefix to folder, where each signature has a folder; `folder` itself where none has."""
    found = {f"{file.parent.name}/": file.parent for file in sorted(folder.glob(f"*/{MODEL}"))}
    return found or {"": folder}
