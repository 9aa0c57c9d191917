"""A graph model run by TensorFlow.js itself, in Node with its plain JavaScript backend.

The packages are those of the folder that `CKPT_ACTION_TFJS` names. No folder is searched for them:
loading a package runs its code, and a folder that is verified may be anybody's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ckpt_action.engine.arrays import Array, numpy_dtype
from ckpt_action.engine.tfjs.model_file import ModelFile
from ckpt_action.engine.tfjs.repeated import Repeated
from ckpt_action.engine.tfjs.weights import STORED
from ckpt_action.errors import CkptActionError, ExitCode, Where, fail
from ckpt_action.outcome import TensorRecord

VARIABLE = "CKPT_ACTION_TFJS"
PACKAGES = ("tfjs-core", "tfjs-converter", "tfjs-backend-cpu")
_PROGRAM = Path(__file__).with_name("run.cjs")
_DTYPES = {"float32": "<f4", "int32": "<i4", "bool": "u1", "complex64": "<c8"}


@dataclass(frozen=True, kw_only=True)
class Node:
    program: str
    modules: Path
    """A folder `node_modules`."""


def node_packages(environ: Mapping[str, str] = os.environ) -> Node | None:
    """None where nobody named packages. Raises CkptActionError (ENVIRONMENT) where they were named
    and cannot be used."""
    named = environ.get(VARIABLE)
    if not named:
        return None
    folder = Path(named).absolute()
    modules = folder if folder.name == "node_modules" else folder / "node_modules"
    missing = [p for p in PACKAGES if not (modules / "@tensorflow" / p / "package.json").is_file()]
    if missing:
        packages = " ".join(f"@tensorflow/{name}" for name in missing)
        raise fail(
            ExitCode.ENVIRONMENT,
            f"{VARIABLE} is {named!r}, and there is no {packages}.",
            hint=f"npm install --prefix {named} {packages}",
        )
    program = shutil.which("node")
    if program is None:
        raise fail(
            ExitCode.ENVIRONMENT,
            f"{VARIABLE} is set, but there is no `node` to run TensorFlow.js in.",
            hint=f"Install Node.js, or unset {VARIABLE}.",
        )
    return Node(program=program, modules=modules)


class NodeRunner:
    """Each call in a process of its own, but those that are timed."""

    def __init__(self, model: ModelFile, node: Node) -> None:
        self._model, self._node = model, node
        package = node.modules / "@tensorflow" / "tfjs-core" / "package.json"
        version = json.loads(package.read_text(encoding="utf-8"))["version"]
        self.note = f"TensorFlow.js {version} ran the files in Node, with its JavaScript backend"

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        signature = self._model.signature
        with _work_folder() as work:
            self._call([*self._command(work, inputs)])
            results = json.loads((work / "results.json").read_text(encoding="utf-8"))
            return {
                t.name: _get(work, result, t)
                for t, result in zip(signature.outputs, results, strict=True)
            }

    def repeated(self, inputs: Mapping[str, Array]) -> Callable[[], object]:
        """One call, in a process in which model and inputs are ready; it ends with the callable."""
        with _work_folder() as work:
            return Repeated([*self._command(work, inputs), "repeat"], self._stopped)

    def _command(self, work: Path, inputs: Mapping[str, Array]) -> Iterator[str]:
        """Whatever the program reads is put into `work`."""
        signature = self._model.signature
        request = {
            "modules": str(self._node.modules),
            "model": str(self._model.path),
            "inputs": [
                _put(work / f"in{i}.bin", t, inputs[t.name]) for i, t in enumerate(signature.inputs)
            ],
            "outputs": [str(t.tensor) for t in signature.outputs],
            "folder": str(work),
        }
        (work / "request.json").write_text(json.dumps(request), encoding="utf-8")
        yield from (self._node.program, str(_PROGRAM), str(work / "request.json"))

    def _call(self, command: list[str]) -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise self._stopped(done.stderr)

    def _stopped(self, stderr: str) -> CkptActionError:
        lines = [line for line in stderr.splitlines() if line.strip()]
        why = next((line for line in lines if "Error" in line), lines[0] if lines else "no message")
        return fail(
            ExitCode.VERIFY,
            f"TensorFlow.js cannot run the artifact: {why.strip()}",
            hint="The model does not survive the format. Please report it with the line above.",
            where=Where(file=str(self._model.path)),
            details=lines,
        )


@contextmanager
def _work_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ckpt-action-tfjs-") as folder:
        yield Path(folder)


def _put(file: Path, tensor: TensorRecord, value: Array) -> dict[str, Any]:
    """Write one input; integers of other widths are fed as int32."""
    dtype = STORED.get(tensor.dtype, tensor.dtype)
    entry = {"name": tensor.name, "dtype": dtype, "shape": value.shape, "file": str(file)}
    if dtype == "string":
        items = [bytes(item).hex() for item in value.reshape(-1).tolist()]
        file.write_text(json.dumps(items), encoding="utf-8")
        return entry
    limits = np.iinfo(np.int32)
    if (
        dtype == "int32"
        and value.size
        and not limits.min <= value.min() <= value.max() <= limits.max
    ):
        raise ValueError(f"input {tensor.name!r} has integers beyond 32 bits")
    file.write_bytes(np.ascontiguousarray(value.astype(_DTYPES[dtype])).tobytes())
    return entry


def _get(work: Path, result: Mapping[str, Any], tensor: TensorRecord) -> Array:
    dtype, shape = str(result["dtype"]), tuple(result["shape"])
    wanted = STORED.get(tensor.dtype, tensor.dtype)
    if dtype != wanted:
        raise ValueError(f"output {tensor.name!r} is {dtype} in TensorFlow.js, not {wanted}")
    content = (work / str(result["file"])).read_bytes()
    if dtype == "string":
        array = np.empty(int(np.prod(shape, dtype=np.int64)), dtype=object)
        array[:] = [bytes.fromhex(item) for item in json.loads(content)]
        return array.reshape(shape)
    value = np.frombuffer(content, _DTYPES[dtype]).reshape(shape)
    return value.astype(numpy_dtype(tensor.dtype))
