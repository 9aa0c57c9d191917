"""HDF5 files that Keras wrote: which layout it is, what it holds, the values.

h5py is imported inside the functions: without it, everything else about checkpoints still works.
Links and storage outside the file are refused, so that a file can show nothing but itself.
"""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckpt_action.checkpoint.damage import AGAIN, broken
from ckpt_action.checkpoint.dtypes import SIZES, numpy_dtype
from ckpt_action.checkpoint.records import Entry, Kind, Role, Writer
from ckpt_action.errors import CkptActionError, ExitCode, fail

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DEEPEST = 64
_RATIO = 2000  # deflate shrinks a thousandfold at most; more is a bomb
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
            self._datasets = dict(_walk(self._root))
            _check_places(self._datasets)
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
                    f"{start}{name}/{weight}" for weight in _texts(top[name], "weight_names")
                )
                for name in _texts(top, "layer_names")
            }

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
            brain = _dtype(data) == "bfloat16"
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
        dtype = _dtype(data)
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
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            message = f"{self.file.name} is damaged{value}: {reason.rstrip('.')}."
            raise broken(self.file, message, AGAIN) from None


def _walk(group: Any, start: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every dataset below `group` by path, in the order of the file."""
    import h5py

    if depth > _DEEPEST:
        raise ValueError("its groups are nested without end")
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{start}{name} is a link, perhaps to another file")  # noqa: TRY004
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from _walk(item, f"{start}{name}/", depth + 1)
        elif isinstance(item, h5py.Dataset):
            _check_stored(f"{start}{name}", item)
            yield f"{start}{name}", item


def _dtype(data: Any) -> str:
    """TensorFlow's name. HDF5 has no bfloat16: Keras 3 says so in an attribute; in Keras 2 it is
    the one dtype that h5py stores as two opaque bytes."""
    if data.dtype.kind in "OSU":
        return "string"
    name = str(data.attrs.get("dtype", "")) or str(data.dtype.name)
    return "bfloat16" if name == "void16" else name


def _check_stored(name: str, data: Any) -> None:
    """Refuse what no Keras writes: HDF5 has no checksums, so damage shows by contradiction."""
    if data.shape is None or data.is_virtual or data.external:
        raise ValueError(f"the values of {name} lie outside the file")
    stored = data.id.get_storage_size()
    if data.nbytes > stored * _RATIO or (data.chunks is None and data.nbytes != stored):
        raise ValueError(f"{name} claims {data.nbytes} bytes and has {stored}")
    if data.dtype.byteorder == ">":
        raise ValueError(f"{name} is big-endian")


def _check_places(datasets: Mapping[str, Any]) -> None:
    """No two values share bytes."""
    places = sorted(
        (data.id.get_offset(), data.nbytes, name)
        for name, data in datasets.items()
        if data.id.get_offset() is not None and data.nbytes
    )
    for (start, size, name), (following, _, other) in itertools.pairwise(places):
        if start + size > following:
            raise ValueError(f"{name} and {other} share bytes")


def _texts(group: Any, name: str) -> list[str]:
    """Names kept as an attribute; Keras splits a long list into `<name>0`, `<name>1`, ..."""
    attributes = group.attrs
    chunks = [attributes[name]] if name in attributes else []
    while f"{name}{len(chunks)}" in attributes:
        chunks.append(attributes[f"{name}{len(chunks)}"])
    return [
        text.decode() if isinstance(text, bytes) else str(text)
        for chunk in chunks
        for text in chunk
    ]


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
            hint="pip install 'ckpt-action[tensorflow]', or pip install h5py",
        ) from None
    return h5py


def declared_size(header: bytes) -> int | None:
    """The size that an HDF5 file says it has, from its first 48 bytes; None where unknown.

    Source: "HDF5 File Format Specification", II.A "Superblock". Sizes of eight bytes only.
    """
    at = {0: 40, 1: 44, 2: 28, 3: 28}.get(header[8] if len(header) > 8 else -1)
    if at is None or len(header) < at + 8 or header[13 if header[8] < 2 else 9] != 8:
        return None
    return int.from_bytes(header[at : at + 8], "little")
