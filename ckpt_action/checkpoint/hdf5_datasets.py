"""Datasets of an HDF5 file and what h5py tells of them, damage included."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

_DEEPEST = 64
_RATIO = 2000  # deflate shrinks a thousandfold at most; more is a bomb


def walk(group: Any, start: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every dataset below `group` by path, in the order of the file; raises ValueError."""
    import h5py

    if depth > _DEEPEST:
        raise ValueError("its groups are nested without end")
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{start}{name} is a link, perhaps to another file")  # noqa: TRY004
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from walk(item, f"{start}{name}/", depth + 1)
        elif isinstance(item, h5py.Dataset):
            _check_stored(f"{start}{name}", item)
            yield f"{start}{name}", item


def dtype_of(data: Any) -> str:
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


def check_places(datasets: Mapping[str, Any]) -> None:
    """Raise ValueError where two values share bytes."""
    places = sorted(
        (data.id.get_offset(), data.nbytes, name)
        for name, data in datasets.items()
        if data.id.get_offset() is not None and data.nbytes
    )
    for (start, size, name), (following, _, other) in itertools.pairwise(places):
        if start + size > following:
            raise ValueError(f"{name} and {other} share bytes")


def texts(group: Any, name: str) -> list[str]:
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


def declared_size(header: bytes) -> int | None:
    """The size that an HDF5 file says it has, from its first 48 bytes; None where unknown.

    Source: "HDF5 File Format Specification", II.A "Superblock". Sizes of eight bytes only.
    """
    at = {0: 40, 1: 44, 2: 28, 3: 28}.get(header[8] if len(header) > 8 else -1)
    if at is None or len(header) < at + 8 or header[13 if header[8] < 2 else 9] != 8:
        return None
    return int.from_bytes(header[at : at + 8], "little")
