"""What an `.npz` file holds, from its headers alone: names, dtypes and shapes, without NumPy."""

from __future__ import annotations

import ast
import lzma
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_LONGEST = 1 << 16
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
)
_DTYPES = {
    "f2": "float16", "f4": "float32", "f8": "float64", "c8": "complex64", "c16": "complex128",
    "i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64",
    "u1": "uint8", "u2": "uint16", "u4": "uint32", "u8": "uint64", "b1": "bool",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Array:
    dtype: str
    """TensorFlow's name; empty where it has none."""
    shape: tuple[int, ...]


def npz_arrays(file: Path) -> Mapping[str, Array]:
    """Every array by its name; raises ValueError or OSError where it is no such file."""
    try:
        with zipfile.ZipFile(file) as archive:
            return {
                name.removesuffix(".npy"): _array(archive, name)
                for name in archive.namelist()
                if name.endswith(".npy")
            }
    except _DAMAGE as error:
        raise ValueError(str(error)) from error


def _array(archive: zipfile.ZipFile, name: str) -> Array:
    with archive.open(name) as opened:
        magic, major = opened.read(6), opened.read(2)[:1]
        if magic != b"\x93NUMPY":
            raise ValueError(f"{name} is no array")
        form = "<H" if major == b"\x01" else "<I"
        (length,) = struct.unpack(form, opened.read(struct.calcsize(form)))
        if length > _LONGEST:
            raise ValueError(f"the header of {name} is too long")
        header = _header(opened.read(length).decode("latin-1"))
    shape = header.get("shape")
    if not isinstance(shape, tuple) or not all(isinstance(d, int) for d in shape):
        raise ValueError(f"{name} has no shape")
    return Array(dtype=_dtype(header.get("descr")), shape=shape)


def _header(text: str) -> Mapping[str, object]:
    try:
        found = ast.literal_eval(text.strip())
    except (SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError("a header cannot be read") from error
    return found if isinstance(found, dict) else {}


def _dtype(descr: object) -> str:
    if not isinstance(descr, str):
        return ""
    return "string" if descr[1:2] in ("S", "U") else _DTYPES.get(descr[1:], "")
