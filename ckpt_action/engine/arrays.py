"""Arrays between child processes, and the digest of one array.

`numpy.savez` cannot hold bfloat16 (it comes back as void) nor byte strings of differing length
(without pickle, which would run code). Here each array is stored as raw bytes, strings as their
lengths followed by their bytes, and an index in JSON says dtype and shape.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_INDEX = "index"
_PIECE = 16 << 20
"""Bytes of an array in another layout that are copied at a time."""
_ORDERS = 120
"""Of five axes. An array of more may keep them, or have the last ones in another order."""


def to_array(tensor: Any) -> Array:
    """A copy of a tensor; a scalar string, which TensorFlow returns as bytes, is an array too."""
    value = tensor.numpy()
    return np.asarray(value, dtype=object if isinstance(value, bytes) else None)


def shared_array(tensor: Any) -> Array:
    """The buffer of a tensor, which `numpy()` would copy; strings and scalars have none to share
    (of a scalar bfloat16, `__array__` fails)."""
    if tensor.dtype.name == "string" or not tensor.shape.rank:
        return to_array(tensor)
    return np.asarray(tensor)


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


def flat_digest(array: Array) -> str:
    """The dtype, and sha256 of the bytes in C order: equal for one array in any shape."""
    if array.dtype.hasobject or array.ndim < 2:
        return f"{array.dtype.name}:{digest(array)}"
    found = hashlib.sha256()
    step = max(1, _PIECE * len(array) // max(1, array.nbytes))
    for start in range(0, len(array), step):
        piece = np.ascontiguousarray(array[start : start + step])
        if sys.byteorder == "big":
            piece = piece.byteswap()
        found.update(piece.reshape(-1).view(np.uint8).data)
    return f"{array.dtype.name}:{found.hexdigest()}"


def layouts(array: Array) -> Iterator[str]:
    """The `flat_digest` of `array` with its axes in every order, its own first."""
    plain = array.squeeze()
    for order in itertools.islice(itertools.permutations(range(plain.ndim)), _ORDERS):
        yield flat_digest(plain.transpose(order))


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


def same_value(old: Any, new: Any) -> bool:
    """Of two tensors: the same memory, where nothing was written, else the same bytes."""
    left, right = shared_array(old), shared_array(new)
    if left.dtype == object or left.size == 0:
        return bool(np.array_equal(left, right))
    if left.__array_interface__["data"] == right.__array_interface__["data"]:
        return True
    return left.tobytes() == right.tobytes()
