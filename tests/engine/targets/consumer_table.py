"""Every network in every format through everything that reads the format: `docs/consumers.md`.

OLDER_TENSORFLOW=PYTHON python tests/engine/targets/consumer_table.py docs/consumers.md

PYTHON is that of an environment with TensorFlow 2.15; TensorFlow.js runs in Chromium, as in
tests/browser.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ckpt_action.engine.prove.outputs.spread import spread

_PROGRAM = Path(__file__).with_name("consume.py")
_BROWSER = Path(__file__).resolve().parents[2] / "browser"
_MARK = "<!-- table -->"
OPTIONS = {"frozen-graph": {"optimize": True}}
READERS = {
    "saved-model": (
        "session", "c-api", "saved_model_cli", "tensorflow-2.15", "tfsm-layer", "tflite-converter",
        "tf2onnx", "openvino",
    ),
    "frozen-graph": ("session", "c-api", "tensorflow-2.15", "openvino", "opencv"),
    "tfjs": ("chromium-cpu", "chromium-wasm", "chromium-webgl", "node"),
    "tflite": ("litert", "openvino"),
    "onnx": ("onnxruntime", "openvino", "opencv"),
}  # fmt: skip
OLDER = "OLDER_TENSORFLOW"
RIGHT, WRONG, REFUSED, CRASHED, NOT_MADE = "right", "WRONG", "refused", "crashes", "-"
_MAX_ERROR = 1e-4


def results(names: Iterable[str]) -> Iterator[tuple[str, str, str, str]]:
    """(network, format, consumer, result)."""
    with tempfile.TemporaryDirectory() as scratch:
        tasks: dict[tuple[str, str, str], Task] = {}
        for name in names:
            tasks.update(_tasks(name, Path(scratch) / name))
        made = {key: task for key, task in tasks.items() if task.request}
        for target, readers in READERS.items():
            for reader in readers:
                requests = [t.request for k, t in made.items() if k[1:] == (target, reader)]
                if reader.startswith("chromium-"):
                    _in_browser(requests, reader.removeprefix("chromium-"), Path(scratch))
                    continue
                # OpenCV takes its process with it where a graph is too much for it.
                for part in [[r] for r in requests] if reader == "opencv" else [requests]:
                    _consume(part, Path(scratch) / "request.json", _python(reader))
        for (name, target, reader), task in tasks.items():
            yield name, target, reader, _result(task, reader)


@dataclass(frozen=True, kw_only=True)
class Task:
    reference: Mapping[str, np.ndarray]
    request: Mapping[str, object] | None = None
    """None: the format refused the network."""


def _tasks(name: str, folder: Path) -> Iterator[tuple[tuple[str, str, str], Task]]:
    from networks import NETWORKS

    from ckpt_action.engine.targets import registry
    from ckpt_action.errors import CkptActionError

    case = NETWORKS[name]()
    reference = case.live("serving_default")
    for target, readers in READERS.items():
        place = folder / target
        place.mkdir(parents=True)
        try:
            registry()[target].export(case.model, place, OPTIONS.get(target, {}))
        except CkptActionError:
            yield from (((name, target, r), Task(reference=reference)) for r in readers)
            continue
        inputs = folder / "inputs.npz"
        np.savez(inputs, **case.inputs["serving_default"])
        for reader in readers:
            request = {
                "consumer": reader,
                "folder": str(place),
                "inputs": str(inputs),
                "results": str(folder / f"{target}-{reader}.npz"),
                "io": _io(target, place, case),
            }
            yield (name, target, reader), Task(reference=reference, request=request)


def _io(target: str, folder: Path, case) -> dict[str, Any]:
    """The artifact's own signature, with the inputs in the declared order."""
    from ckpt_action.codec import to_data
    from ckpt_action.engine.targets import registry

    (signature,) = registry()[target].open_artifact(folder, ()).signatures()
    order = {t.name: n for n, t in enumerate(case.model.signatures[0].record.inputs)}
    io = to_data(signature)
    io["inputs"].sort(key=lambda tensor: order[tensor["name"]])
    return io


def missing(reader: str) -> str:
    """Why `reader` cannot be asked here; empty where it can."""
    if reader.startswith("chromium-"):
        return str(_chromium().missing())
    if reader == "node":
        packages = (_BROWSER / "node_modules").is_dir()
        return "" if packages and shutil.which("node") else "node, or its packages, are not there"
    if reader.startswith("tensorflow-") and not os.environ.get(OLDER):
        return f"{OLDER} names no Python with {reader}"
    return ""


def _chromium() -> Any:
    sys.path.append(str(_BROWSER))
    import chromium

    return chromium


def _in_browser(requests: Sequence[Any], backend: str, scratch: Path) -> None:
    chromium, calls = _chromium(), []
    for request in requests:
        with np.load(request["inputs"]) as stored:
            inputs, names = dict(stored), [t["name"] for t in request["io"]["outputs"]]
        calls.append(chromium.Call(
            folder=Path(request["folder"]), backend=backend, inputs=inputs, outputs=names,
        ))  # fmt: skip
    for request, found in zip(requests, chromium.run(calls, scratch), strict=True):
        results = Path(request["results"])
        if isinstance(found, str):
            results.with_suffix(".error").write_text(found)
        else:
            np.savez(results, **found)


def _python(reader: str) -> str:
    """The interpreter that has `reader`."""
    if not reader.startswith("tensorflow-"):
        return sys.executable
    python = os.environ[OLDER]
    program = "import tensorflow as tf; print('tensorflow-' + tf.__version__)"
    version = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    assert version.stdout.startswith(f"{reader}."), version.stdout
    return python


def _consume(requests: Sequence[object], file: Path, python: str) -> None:
    file.write_text(json.dumps(requests))
    subprocess.run(
        [python, _PROGRAM, file],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True, check=False,
    )  # fmt: skip


def _result(task: Task, reader: str) -> str:
    if task.request is None:
        return NOT_MADE
    made = Path(str(task.request["results"]))
    if not made.exists():
        return REFUSED if made.with_suffix(".error").exists() else CRASHED
    with np.load(made) as found:
        outputs = dict(found)
    if reader == "opencv":  # it has its own opinion of dimensions of size 1
        outputs = {n: v.reshape(task.reference[n].shape) for n, v in outputs.items()}
    return RIGHT if _agrees(outputs, task.reference) else WRONG


def _agrees(found, reference) -> bool:
    if set(found) != set(reference):
        return False
    for name, wanted in reference.items():
        value = found[name]
        if value.shape != wanted.shape or not np.isfinite(value).all():
            return False
        if np.abs(value - wanted).max() > _MAX_ERROR * spread([wanted]):
            return False
    return True


def table(found: Iterable[tuple[str, str, str, str]]) -> str:
    cells = {(name, target, reader): result for name, target, reader, result in found}
    names = list(dict.fromkeys(name for name, _, _ in cells))
    blocks = []
    for target, readers in READERS.items():
        lines = [f"| `{target}` | {' | '.join(readers)} |", "|---" * (len(readers) + 1) + "|"]
        lines += [
            f"| {name} | {' | '.join(cells[name, target, reader] for reader in readers)} |"
            for name in names
        ]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def page(text: str, found: Iterable[tuple[str, str, str, str]]) -> str:
    """`text` with the tables of this run between its marks."""
    before, _, rest = text.partition(_MARK)
    _, _, after = rest.partition(_MARK)
    return f"{before}{_MARK}\n{table(found)}\n{_MARK}{after}"


def main(file: Path) -> None:
    from networks import NETWORKS

    file.write_text(page(file.read_text(encoding="utf-8"), results(NETWORKS)), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
