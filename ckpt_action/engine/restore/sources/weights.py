"""Keras' weights files as a `Source`: their groups are the objects, their datasets the values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ckpt_action.checkpoint.damage import AGAIN
from ckpt_action.checkpoint.hdf5 import Hdf5Weights
from ckpt_action.checkpoint.records import ObjectGraph, ObjectNode, Role
from ckpt_action.engine.arrays import Array
from ckpt_action.engine.restore.records import Value
from ckpt_action.engine.restore.sources.loading import OneByOne
from ckpt_action.errors import ExitCode, Where, fail


class WeightsSource(OneByOne):
    """One `.weights.h5`, or the shards of one."""

    optimizers: frozenset[int] = frozenset()

    def __init__(self, parts: Iterable[Hdf5Weights]) -> None:
        self._part: dict[str, Hdf5Weights] = {}
        self.values: dict[str, Value] = {}
        aside: Counter[Role] = Counter()
        for part in parts:
            for entry in part.entries:
                if entry.key in self._part:
                    raise fail(
                        ExitCode.CHECKPOINT, f"{part.file.name} holds {entry.key!r} a second time."
                    )
                self._part[entry.key] = part
                if entry.role is Role.MODEL:
                    self.values[entry.key] = Value(
                        key=entry.key,
                        dtype=entry.dtype,
                        shape=entry.shape,
                        full_name=entry.full_name,
                        path=entry.key,
                    )
                else:
                    aside[entry.role] += 1
        self.set_aside: Mapping[Role, int] = aside
        self.graph: ObjectGraph | None = _graph(self.values)

    def read(self, key: str) -> Array:
        return self._part[key].read(key)


def _graph(keys: Iterable[str]) -> ObjectGraph:
    children: list[dict[str, int]] = [{}]
    values: dict[int, str] = {}
    for key in keys:
        node = 0
        for part in key.split("/"):
            if part not in children[node]:
                children[node][part] = len(children)
                children.append({})
            node = children[node][part]
        values[node] = key
    return ObjectGraph(
        nodes=tuple(
            ObjectNode(
                children=below,
                attributes={"VARIABLE_VALUE": ("", values[node])} if node in values else {},
            )
            for node, below in enumerate(children)
        )
    )


class LegacySource(OneByOne):
    """A legacy `.h5`: the weights of each layer in the order of saving."""

    optimizers: frozenset[int] = frozenset()
    graph: ObjectGraph | None = None

    def __init__(self, file: Hdf5Weights) -> None:
        self._file = file
        self.layers = {name: keys for name, keys in file.layers.items() if keys}
        """Layer name to the keys of its weights; layers without weights are left out."""
        starts = {key: f"{name}/" for name, keys in self.layers.items() for key in keys}
        entries = {entry.key: entry for entry in file.entries}
        if lost := starts.keys() - entries.keys():
            raise fail(
                ExitCode.CHECKPOINT,
                f"{file.file.name} is damaged: it names the weight {min(lost)!r}, which it does "
                "not hold.",
                hint=AGAIN,
                where=Where(file=str(file.file)),
            )
        ordered = [*(entries[key] for key in starts), *file.entries]
        self.values: dict[str, Value] = {}
        aside: Counter[Role] = Counter()
        for entry in dict.fromkeys(ordered):
            if entry.role is not Role.MODEL and entry.key not in starts:
                aside[entry.role] += 1
                continue
            path = entry.key.removeprefix("model_weights/")
            self.values[entry.key] = Value(
                key=entry.key,
                dtype=entry.dtype,
                shape=entry.shape,
                full_name=path.removeprefix(starts.get(entry.key, "")).split(":")[0],
                path=path,
            )
        self.set_aside: Mapping[Role, int] = aside
        if file.backend == "theano":
            self._refuse_turned_kernels()

    def read(self, key: str) -> Array:
        return self._file.read(key)

    def _refuse_turned_kernels(self) -> None:
        """Theano convolves where TensorFlow correlates, so every kernel is turned in space. Dense,
        embedding and recurrent weights have no space."""
        kernels = [v.path for v in self.values.values() if len(v.shape) > 2 and _has_space(v.shape)]
        if kernels:
            raise fail(
                ExitCode.CHECKPOINT,
                f"{self._file.file.name} was written by Keras on Theano, which keeps the kernels "
                f"of convolutions turned in space ({kernels[0]}{', …' if kernels[1:] else ''}): "
                "they fit TensorFlow's layers and compute something else.",
                hint="Load it in Keras 2.3 or older with KERAS_BACKEND=tensorflow, which turns "
                "them, and save the model again; or flip each kernel over its spatial axes.",
                where=Where(file=str(self._file.file)),
                details=kernels,
            )


def _has_space(shape: tuple[int, ...]) -> bool:
    """Whether a kernel of this shape is another one when it is turned: not one of 1 x 1."""
    return any(size > 1 for size in shape[:-2])
