"""TensorFlow's data types by number and name, and how they lie in a file.

Numbers: `enum DataType` of tensorflow/core/framework/types.proto.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ckpt_action.errors import ExitCode, fail

if TYPE_CHECKING:
    import numpy as np

NAMES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string",
    8: "complex64", 9: "int64", 10: "bool", 11: "qint8", 12: "quint8", 13: "qint32",
    14: "bfloat16", 15: "qint16", 16: "quint16", 17: "uint16", 18: "complex128", 19: "float16",
    20: "resource", 21: "variant", 22: "uint32", 23: "uint64", 24: "float8_e5m2",
    25: "float8_e4m3fn", 29: "int4", 30: "uint4",
}  # fmt: skip

SIZES = {
    "float32": 4, "float64": 8, "int32": 4, "uint8": 1, "int16": 2, "int8": 1, "complex64": 8,
    "int64": 8, "bool": 1, "qint8": 1, "quint8": 1, "qint32": 4, "bfloat16": 2, "qint16": 2,
    "quint16": 2, "uint16": 2, "complex128": 16, "float16": 2, "uint32": 4, "uint64": 8,
    "float8_e5m2": 1, "float8_e4m3fn": 1, "int4": 1, "uint4": 1,
}  # fmt: skip
"""Bytes of one element in a checkpoint; types that are not here have no fixed size."""

_EXTENDED = ("bfloat16", "float8_e5m2", "float8_e4m3fn", "int4", "uint4")


def numpy_dtype(name: str) -> np.dtype[Any]:
    """The little-endian numpy type of TensorFlow's `name`; quantised types as plain integers.

    Raises an ENVIRONMENT problem for bfloat16 and its like where `ml_dtypes` is missing.
    """
    import numpy as np

    if name not in _EXTENDED:
        little: np.dtype[Any] = np.dtype(name.removeprefix("q")).newbyteorder("<")
        return little
    try:
        import ml_dtypes
    except ImportError:
        raise fail(
            ExitCode.ENVIRONMENT,
            f"Values of type {name} need the package ml_dtypes, which is not installed.",
            hint="pip install 'ckpt-action[tensorflow]'",
        ) from None
    extended: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
    return extended
