"""Arrays between child processes, and the digest of one array.

`numpy.savez` cannot hold bfloat16 (it comes back as void) nor byte strings of differing length
(without pickle, which would run code). Here each array is stored as raw bytes, strings as their
lengths followed by their bytes, and an index in JSON says dtype and shape.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_INDEX = "index"


def digest(array: Array) -> str:
    """sha256 of the little-endian bytes in C order.

    Strings: of each element's length (8 bytes, little-endian) followed by its bytes.
    """
    if array.dtype.hasobject:
        return hashlib.sha256(_pack_strings(array)).hexdigest()
    if sys.byteorder == "big":
        array = array.byteswap()
    flat = np.ascontiguousarray(array).reshape(-1)
    return hashlib.sha256(flat.view(np.uint8).data).hexdigest()


def content_digest(array: Array) -> str:
    """sha256 of the dtype and of the values in the order of their bits.

    Equal for one array in any layout: transposed, reshaped, with its channels in another order.
    """
    if array.dtype.hasobject:
        return digest(np.array(sorted(array.reshape(-1).tolist()), dtype=object))
    bits = np.ascontiguousarray(array).reshape(-1).view(f"u{min(array.dtype.itemsize, 8)}")
    return f"{array.dtype.name}:{digest(np.sort(bits))}"


def save(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write `arrays` to an `.npz` that `load` reads back with equal dtypes, shapes and bytes."""
    index = []
    members: dict[str, Array] = {}
    for number, (name, array) in enumerate(arrays.items()):
        text = array.dtype.hasobject
        packed = _pack_strings(array) if text else np.ascontiguousarray(array).tobytes()
        members[str(number)] = np.frombuffer(packed, np.uint8)
        dtype = "string" if text else array.dtype.name
        index.append({"name": name, "dtype": dtype, "shape": array.shape})
    members[_INDEX] = np.frombuffer(json.dumps(index).encode(), np.uint8)
    with path.open("wb") as file:
        np.savez(file, **members)  # type: ignore[arg-type]


def load(path: Path) -> dict[str, Array]:
    """What `save` wrote, in the same order."""
    with np.load(path, allow_pickle=False) as members:
        index = json.loads(members[_INDEX].tobytes())
        return {
            entry["name"]: _unpack(members[str(number)].tobytes(), entry["dtype"], entry["shape"])
            for number, entry in enumerate(index)
        }


def numpy_dtype(name: str) -> np.dtype[Any]:
    """The numpy type of a TensorFlow type name; `string` is object (byte strings)."""
    if name == "string":
        return np.dtype(object)
    try:
        return np.dtype(name)
    except TypeError:
        import ml_dtypes  # TensorFlow depends on it

        found: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
        return found


def _pack_strings(array: Array) -> bytes:
    return b"".join(
        len(item).to_bytes(8, "little") + bytes(item) for item in array.reshape(-1).tolist()
    )


def _unpack(packed: bytes, dtype: str, shape: list[int]) -> Array:
    if dtype != "string":
        return np.frombuffer(packed, numpy_dtype(dtype)).reshape(shape)
    items: list[bytes] = []
    start = 0
    while start < len(packed):
        end = start + 8 + int.from_bytes(packed[start : start + 8], "little")
        items.append(packed[start + 8 : end])
        start = end
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array.reshape(shape)
