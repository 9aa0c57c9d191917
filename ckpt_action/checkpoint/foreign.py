"""Files that are no checkpoint of TensorFlow or Keras, known by their first bytes."""

from __future__ import annotations

import re
from pathlib import Path

LFS_MAGIC = b"version https://git-lfs.github.com/spec/"
LFS_HINT = (
    "Run `git lfs pull`; in GitHub Actions give actions/checkout `lfs: true`. "
    "If that fails, the repository's LFS quota may be used up."
)
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
ZIP_MAGIC = b"PK\x03\x04"

_TFLITE = "It is a TensorFlow Lite model: an export, not a checkpoint."
_BYTES: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), message)
    for pattern, message in (
        (rb"....TFL3", _TFLITE),
        (rb"GGUF", "It is a GGUF file of llama.cpp."),
        (rb"\x93NUMPY", "It is a numpy array (.npy)."),
        (rb".{6}\x00\x00\{", "It is a safetensors file."),
        (rb"\x08\x01\x12", "It is the saved_model.pb of a SavedModel."),
        (rb"\x08[\x02-\x20](?:[\x12\x1a]|:)", "It is an ONNX model: an export, not a checkpoint."),
        (rb"\x0a.{1,2}\x0a.{1,80}\x12.[A-Z]", "It is a frozen graph: an export, not a checkpoint."),
        (rb"\x80[\x02-\x05]", "It is a Python pickle, which is never opened."),
    )
)
_ADVICE = "Name the checkpoint that the training wrote."


def is_lfs_pointer(file: Path) -> bool:
    """Whether Git LFS left its pointer where the content should be."""
    return head(file, len(LFS_MAGIC)) == LFS_MAGIC


def head(file: Path, size: int = 512) -> bytes:
    with file.open("rb") as stream:
        return stream.read(size)


def foreign_file(file: Path) -> tuple[str, str]:
    """What `file`, which is no checkpoint, is, and what to do."""
    start = head(file)
    if not start:
        return "It is empty.", "Copy or save the checkpoint again."
    for pattern, message in _BYTES:
        if pattern.match(start):
            return message, "Name its folder." if "SavedModel" in message else _ADVICE
    if re.fullmatch(rb"[\t\n\r\x20-\x7e]*", start):
        return "It is a text file.", _ADVICE
    return "Its bytes are of no known format; it may be damaged.", _ADVICE


def foreign_zip(names: list[str]) -> str:
    """What a zip archive that is no `.keras` file is."""
    if any(name.endswith("data.pkl") for name in names):
        return "It is a PyTorch checkpoint."
    if names and all(name.endswith(".npy") for name in names):
        return "It is an archive of numpy arrays (.npz)."
    return "It is a zip archive without a Keras model in it."
