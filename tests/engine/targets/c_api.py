"""Run as a program: read artifacts through TensorFlow's C API (tensorflow/c/c_api.h) alone.

python c_api.py LIBRARY SAVED_MODEL_FOLDER GRAPH_FILE
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path


class Buffer(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p), ("length", ctypes.c_size_t), ("free", ctypes.c_void_p),
    ]  # fmt: skip


def library(path: str) -> ctypes.CDLL:
    lib = ctypes.CDLL(path)
    for name in (
        "TF_NewStatus", "TF_NewGraph", "TF_NewSessionOptions", "TF_LoadSessionFromSavedModel",
        "TF_NewImportGraphDefOptions",
    ):  # fmt: skip
        getattr(lib, name).restype = ctypes.c_void_p
    lib.TF_Message.restype = ctypes.c_char_p
    return lib


def code(lib: ctypes.CDLL, status: int) -> int:
    value = lib.TF_GetCode(ctypes.c_void_p(status))
    if value:
        print(lib.TF_Message(ctypes.c_void_p(status)).decode(), file=sys.stderr)
    return value


def load_saved_model(lib: ctypes.CDLL, folder: str) -> int:
    status = lib.TF_NewStatus()
    tags = (ctypes.c_char_p * 1)(b"serve")
    lib.TF_LoadSessionFromSavedModel(
        ctypes.c_void_p(lib.TF_NewSessionOptions()), None, folder.encode(), tags, 1,
        ctypes.c_void_p(lib.TF_NewGraph()), None, ctypes.c_void_p(status),
    )  # fmt: skip
    return code(lib, status)


def import_graph(lib: ctypes.CDLL, file: str) -> int:
    status = lib.TF_NewStatus()
    data = Path(file).read_bytes()
    buffer = Buffer(ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p), len(data), None)
    lib.TF_GraphImportGraphDef(
        ctypes.c_void_p(lib.TF_NewGraph()), ctypes.byref(buffer),
        ctypes.c_void_p(lib.TF_NewImportGraphDefOptions()), ctypes.c_void_p(status),
    )  # fmt: skip
    return code(lib, status)


if __name__ == "__main__":
    tensorflow = library(sys.argv[1])
    print("saved model", load_saved_model(tensorflow, sys.argv[2]))
    print("graph", import_graph(tensorflow, sys.argv[3]))
