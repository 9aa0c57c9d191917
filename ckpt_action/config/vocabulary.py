"""The words and forms of values in `model-export.toml`."""

from __future__ import annotations

DTYPES = (
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
    "string",
    "complex64",
    "complex128",
)
"""TensorFlow's names of the dtypes that a signature can carry."""

DTYPE_ALIASES = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "int": "int32",
    "long": "int64",
    "str": "string",
    "bytes": "string",
    "boolean": "bool",
}
"""What other libraries call them; understood in messages only."""

SIZE_UNITS = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}

# Every pattern is anchored at both ends and free of look-around: editors read it with the regular
# expressions of other languages.
IDENTIFIER = "^[A-Za-z_][A-Za-z0-9_]*$"
FILE_NAME = "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9_-])?$"
"""Names of folders and release assets."""
OUTPUT_NAME = "^[A-Za-z0-9_][A-Za-z0-9_./-]*$"
SIGNATURE_NAME = "^[A-Za-z][A-Za-z0-9_]*$"
"""TensorFlow keeps names such as `__saved_model_init_op` for itself."""
MODULE = "^[A-Za-z_][A-Za-z0-9_]*([.][A-Za-z_][A-Za-z0-9_]*)*$"
ENTRY_POINT = f"{MODULE[:-1]}:{MODULE[1:]}"
TENSOR = "^[A-Za-z0-9.][A-Za-z0-9_.\\\\/>-]*:[0-9]+$"
"""An op's name as `NodeDef` allows it, and the index of its output."""
SIZE = f"^[0-9]+([.][0-9]+)? ?({'|'.join(SIZE_UNITS)})$"


DURATION_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
DURATION = f"^[0-9]+([.][0-9]+)? ?({'|'.join(DURATION_UNITS)})$"


def parse_duration(text: str) -> float:
    """Seconds of a duration that matches `DURATION`: `20 ms` is 0.02."""
    number = text.rstrip("".join(DURATION_UNITS) + " ")
    return float(number) * DURATION_UNITS[text[len(number) :].strip()]


def parse_size(text: str) -> int:
    """Bytes of a size that matches `SIZE`: `20 MB` is 20 000 000, `20 MiB` is 20 971 520."""
    number = text.rstrip("".join(SIZE_UNITS))
    unit = text[len(number) :]
    return round(float(number) * SIZE_UNITS[unit])


def size_text(size: int) -> str:
    """`size` bytes in the unit in which they are said shortest: 20 971 520 is `20 MiB`."""
    texts = {unit: f"{size / factor:.15g} {unit}" for unit, factor in SIZE_UNITS.items()}
    return min((t for t in texts.values() if parse_size(t) == size), key=len)
