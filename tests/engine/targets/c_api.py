"""Running artifacts through TensorFlow's C API (tensorflow/c/c_api.h) alone, without its Python."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

DTYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 9: "int64",
    10: "bool",
}  # fmt: skip
"""`TF_DataType` to what NumPy calls it."""
POINTERS = (
    "TF_NewStatus", "TF_NewGraph", "TF_NewSessionOptions", "TF_LoadSessionFromSavedModel",
    "TF_NewImportGraphDefOptions", "TF_NewSession", "TF_GraphOperationByName", "TF_AllocateTensor",
    "TF_TensorData", "TF_NewBufferFromString",
)  # fmt: skip


class Output(ctypes.Structure):
    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


class CLibrary:
    """TensorFlow's shared library; nothing that it makes is given back before the process ends."""

    def __init__(self) -> None:
        package = Path(str(find_spec("tensorflow").origin)).parent
        self._lib = ctypes.CDLL(str(next(package.glob("libtensorflow_cc.*"))))
        for name in POINTERS:
            getattr(self._lib, name).restype = ctypes.c_void_p
        self._lib.TF_Message.restype = ctypes.c_char_p
        self._lib.TF_Dim.restype = ctypes.c_int64
        self._status = ctypes.c_void_p(self._lib.TF_NewStatus())
        self._graph = self._new("TF_NewGraph")

    def run(self, folder: Path, inputs: Mapping[str, np.ndarray], io: Any) -> dict[str, np.ndarray]:
        """`io`: the names of the artifact's tensors."""
        saved_model = (folder / "saved_model.pb").exists()
        session = self._load(folder) if saved_model else self._import(next(folder.glob("*.pb")))
        names = [t["name"] for t in io["inputs"]]
        sources, targets = self._ends(io["inputs"]), self._ends(io["outputs"])
        fed = (ctypes.c_void_p * len(names))(*(self._tensor(inputs[name]) for name in names))
        found = (ctypes.c_void_p * len(targets))()
        self._lib.TF_SessionRun(
            session, None, sources, fed, len(names), targets, found, len(targets), None, 0, None,
            self._status,
        )  # fmt: skip
        self._check()
        return {
            t["name"]: self._array(ctypes.c_void_p(value))
            for t, value in zip(io["outputs"], found, strict=True)
        }

    def _load(self, folder: Path) -> ctypes.c_void_p:
        tags = (ctypes.c_char_p * 1)(b"serve")
        return self._new(
            "TF_LoadSessionFromSavedModel", self._new("TF_NewSessionOptions"), None,
            str(folder).encode(), tags, 1, self._graph, None, self._status,
        )  # fmt: skip

    def _import(self, file: Path) -> ctypes.c_void_p:
        data = file.read_bytes()
        buffer = self._new("TF_NewBufferFromString", data, ctypes.c_size_t(len(data)))
        options = self._new("TF_NewImportGraphDefOptions")
        self._lib.TF_GraphImportGraphDef(self._graph, buffer, options, self._status)
        self._check()
        return self._new(
            "TF_NewSession", self._graph, self._new("TF_NewSessionOptions"), self._status
        )

    def _ends(self, tensors: Any) -> ctypes.Array[Output]:
        """`x:0` and the like in the graph."""
        ends = []
        for tensor in tensors:
            name, _, index = tensor["tensor"].partition(":")
            operation = self._new("TF_GraphOperationByName", self._graph, name.encode())
            assert operation, name
            ends.append(Output(operation, int(index or 0)))
        return (Output * len(ends))(*ends)

    def _tensor(self, array: np.ndarray) -> ctypes.c_void_p:
        (dtype,) = (number for number, name in DTYPES.items() if name == array.dtype.name)
        sizes = (ctypes.c_int64 * array.ndim)(*array.shape)
        size = ctypes.c_size_t(array.nbytes)
        tensor = self._new("TF_AllocateTensor", dtype, sizes, array.ndim, size)
        data = np.ascontiguousarray(array)
        ctypes.memmove(self._new("TF_TensorData", tensor), data.ctypes.data, array.nbytes)
        return tensor

    def _array(self, tensor: ctypes.c_void_p) -> np.ndarray:
        rank = self._lib.TF_NumDims(tensor)
        shape = tuple(self._lib.TF_Dim(tensor, axis) for axis in range(rank))
        dtype = np.dtype(DTYPES[self._lib.TF_TensorType(tensor)])
        data = self._new("TF_TensorData", tensor)
        content = ctypes.string_at(data, dtype.itemsize * int(np.prod(shape)))
        return np.frombuffer(content, dtype).reshape(shape)

    def _new(self, function: str, *arguments: Any) -> ctypes.c_void_p:
        made = ctypes.c_void_p(getattr(self._lib, function)(*arguments))
        if self._status in arguments:
            self._check()
        return made

    def _check(self) -> None:
        if self._lib.TF_GetCode(self._status):
            raise RuntimeError(self._lib.TF_Message(self._status).decode())
