"""HDF5 files that Keras wrote: which layout it is, what it holds, the values.

h5py is imported inside the functions: without it, everything else about checkpoints still works.
Links and storage outside the file are refused, so that a file can show nothing but itself.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckpt_action.checkpoint.damage import AGAIN, broken
from ckpt_action.checkpoint.dtypes import SIZES, numpy_dtype
from ckpt_action.checkpoint.hdf5_datasets import check_places, dtype_of, texts, walk
from ckpt_action.checkpoint.records import Entry, Kind, Role, Writer
from ckpt_action.errors import CkptActionError, ExitCode, fail, first_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EARLY = "_layer_checkpoint_dependencies"


class Hdf5Weights:
    """One HDF5 file of Keras, whole in memory or on disk.

    `content` is given where the bytes lie inside an archive. Every error is a CkptActionError:
    CHECKPOINT with the file, or ENVIRONMENT where h5py is missing.
    """

    def __init__(self, file: Path, content: bytes | None = None) -> None:
        self.file = file
        h5py = _h5py()
        with self._reading():
            self._root = h5py.File(file if content is None else io.BytesIO(content), "r")
            self._datasets = dict(walk(self._root))
            check_places(self._datasets)
            self.kind = self._kind()

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Every value, by its path in the file."""
        with self._reading():
            return tuple(self._entry(key, data) for key, data in self._datasets.items())

    @cached_property
    def layers(self) -> Mapping[str, tuple[str, ...]]:
        """Legacy layouts: layer name to the keys of its weights, both in the order of saving."""
        with self._reading():
            if self.kind not in (Kind.LEGACY_H5_MODEL, Kind.LEGACY_H5_WEIGHTS):
                return {}
            top = self._root.get("model_weights", self._root)
            start = "model_weights/" if "model_weights" in self._root else ""
            return {
                name: tuple(
                    f"{start}{name}/{weight}" for weight in texts(top[name], "weight_names")
                )
                for name in texts(top, "layer_names")
            }

    @cached_property
    def empty_layers(self) -> tuple[str, ...] | None:
        """Keras 3 layout: names of the groups of layers that hold no value, those of nested models
        too; None where the file lists no layers, as that of a subclassed model."""
        with self._reading():
            groups: list[str] = []
            self._root.visit(groups.append)
            places = [g.removesuffix("/vars") for g in groups if g.endswith("/vars")]
            layers = [place for place in places if place.split("/")[-2:-1] == ["layers"]]
            below = [*self._datasets, *layers]
            empty = [one for one in layers if not any(key.startswith(f"{one}/") for key in below)]
            return tuple(one.rpartition("/")[2] for one in empty) if layers else None

    @cached_property
    def writer(self) -> Writer:
        """From `keras_version`, else from what only one Keras leaves in a `.weights.h5`."""
        with self._reading():
            version = self._attribute("keras_version")
            if version:
                return Writer.KERAS_2 if version.startswith(("1.", "2.")) else Writer.KERAS_3
            if self.kind is Kind.KERAS_WEIGHTS_EARLY or "metrics" in self._root:
                return Writer.KERAS_2
            named = any("name" in data.parent.attrs for data in self._datasets.values())
            return Writer.KERAS_3 if named else Writer.UNKNOWN

    @cached_property
    def keras_version(self) -> str:
        """Empty where the file does not tell."""
        with self._reading():
            return self._attribute("keras_version") or ""

    @cached_property
    def backend(self) -> str | None:
        """What Keras ran on when it wrote a legacy file: `tensorflow`, `theano`, `cntk`."""
        with self._reading():
            return self._attribute("backend")

    @cached_property
    def config(self) -> str | None:
        """The architecture as JSON, where the file is a whole model."""
        with self._reading():
            return self._attribute("model_config")

    def read(self, key: str) -> NDArray[Any]:
        """The value at `key`. HDF5 keeps no checksum over it."""
        import numpy as np

        with self._reading(key):
            if key not in self._datasets:
                raise broken(self.file, f"{self.file.name} holds no value {key!r}.", "")
            data = self._datasets[key]
            value: NDArray[Any] = np.asarray(data[()])
            brain = dtype_of(data) == "bfloat16"
            return value.view(numpy_dtype("bfloat16")) if brain else value

    def _kind(self) -> Kind:
        names = set(self._root)
        if "model_config" in self._root.attrs and "model_weights" in names:
            return Kind.LEGACY_H5_MODEL
        if {"layer_names", "layer_names0"} & set(self._root.attrs):
            return Kind.LEGACY_H5_WEIGHTS
        if _EARLY in names:
            return Kind.KERAS_WEIGHTS_EARLY
        if any("/vars/" in f"/{key}" for key in self._datasets):
            return Kind.KERAS_WEIGHTS
        held = "holds no values" if not self._datasets else "is laid out as no Keras writes it"
        raise broken(self.file, f"{self.file.name} is an HDF5 file that {held}.", "")

    def _entry(self, key: str, data: Any) -> Entry:
        dtype = dtype_of(data)
        if dtype != "string" and dtype not in SIZES:
            raise broken(self.file, f"{key!r} in {self.file.name} is of the type {dtype}.", AGAIN)
        shape = tuple(int(size) for size in data.shape)
        size = math.prod(shape) * SIZES.get(dtype, 0)
        name = self._full_name(key)
        return Entry(key=key, dtype=dtype, shape=shape, bytes=size, role=_role(key), full_name=name)

    def _full_name(self, key: str) -> str:
        """The names that Keras 3 writes beside the values of a layer and of the models around it:
        `user/proj/0` for `layers/functional/layers/dense/vars/0`; empty where there are none."""
        parts = key.split("/")
        groups = ["/".join([*parts[:end], "vars"]) for end in range(1, len(parts) - 1)]
        names = [self._root[g].attrs.get("name") for g in groups if g in self._root]
        known = [str(name) for name in names if name is not None]
        return "/".join([*known, parts[-1]]) if known else ""

    def _attribute(self, name: str) -> str | None:
        value = self._root.attrs.get(name)
        if value is None and "model_weights" in self._root:
            value = self._root["model_weights"].attrs.get(name)
        return value.decode() if isinstance(value, bytes) else value

    @contextmanager
    def _reading(self, key: str = "") -> Iterator[None]:
        """h5py raises nearly every kind of exception on a damaged file."""
        try:
            yield
        except CkptActionError:
            raise
        except Exception as error:  # noqa: BLE001
            value = f" at {key!r}" if key else ""
            message = f"{self.file.name} is damaged{value}: {first_line(error).rstrip('.')}."
            raise broken(self.file, message, AGAIN) from None


def _role(key: str) -> Role:
    """The top group and the seed generator's name are given by Keras, not by people."""
    parts = key.split("/")
    if parts[0] in ("optimizer", "optimizer_weights"):
        return Role.OPTIMIZER
    if parts[0] == "metrics" or "seed_generator" in parts[:-1]:
        return Role.OTHER
    return Role.MODEL


def _h5py() -> Any:
    try:
        import h5py
    except ImportError:
        raise fail(
            ExitCode.ENVIRONMENT,
            "Reading HDF5 files (.h5, .keras) needs h5py, which is not installed.",
            hint="Install it: pip install h5py",
        ) from None
    return h5py
