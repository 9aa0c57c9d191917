"""Run as a program: the models of these tests through both converters, as a table in Markdown.

python tests/browser/side_by_side.py TENSORFLOWJS_CONVERTER [NAME...]

The official converter does not install beside today's TensorFlow; in an environment of its own:
`pip install tensorflowjs==4.22.0 "ydf<0.12" "setuptools<81"`. Both read the same traced model, the
official one from our SavedModel.
"""

from __future__ import annotations

import conftest  # noqa: F401 - makes the cases importable  # isort: skip

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import chromium
import numpy as np
import web_cases
from handmade import Case

from ckpt_action.engine.prove.outputs.spread import spread
from ckpt_action.engine.targets import registry

BACKENDS = ("cpu", "wasm")


SHORT = {
    "Cannot compute the outputs": "no value for its outputs",
    "only supports rank-1 bias": "a bias of another rank",
    "Kernel 'Einsum' not registered": "no `Einsum`",
    "ew shape": "no shape of what was looked up",
}
"""What TensorFlow.js says, for a table."""


@dataclass(frozen=True)
class Converted:
    folder: Path | None
    """None where the converter refused."""
    nodes: int = 0
    topology: int = 0
    weights: int = 0


def ours(case: Case, folder: Path) -> Converted:
    registry()["tfjs"].export(case.model, folder, {})
    return measured(folder)


def official(converter: str, case: Case, saved: Path, folder: Path) -> Converted:
    registry()["saved-model"].export(case.model, saved, {})
    run = subprocess.run(
        [converter, "--input_format=tf_saved_model", saved, folder],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return measured(folder) if run.returncode == 0 else Converted(None)


def measured(folder: Path) -> Converted:
    text = (folder / "model.json").read_bytes()
    topology = json.loads(text)["modelTopology"]
    functions = topology.get("library", {}).get("function", [])
    nodes = len(topology["node"]) + sum(len(f.get("nodeDef", [])) for f in functions)
    weights = sum(file.stat().st_size for file in folder.glob("*.bin"))
    return Converted(folder, nodes, len(text), weights)


def computed(made: Converted, case: Case, scratch: Path) -> list[str]:
    """Per backend: the largest error as part of how far the output's values lie apart, or what it
    said."""
    if made.folder is None:
        return ["refused"] * len(BACKENDS)
    (signature,) = case.model.signatures
    inputs, names = case.inputs["serving_default"], [o.name for o in signature.record.outputs]
    live = case.live("serving_default")
    calls = [chromium.Call(folder=made.folder, backend=backend, inputs=inputs, outputs=names)
             for backend in BACKENDS]  # fmt: skip
    return [_told(found, live) for found in chromium.run(calls, scratch)]


def _told(found: dict[str, np.ndarray] | str, live: dict[str, np.ndarray]) -> str:
    if isinstance(found, str):
        said = found.splitlines()[0].split("Error: ")[-1]
        why = [short for part, short in SHORT.items() if part in said]
        return f"fails: {why[0] if why else said[:60]}"
    errors = [
        np.abs(found[name] - value.astype(found[name].dtype)).max() / spread([value])
        for name, value in live.items()
    ]
    return f"{max(errors):.0e}" if np.isfinite(errors).all() else "NaN"


def main(converter: str, names: list[str]) -> None:
    print("| model | converter | nodes | model.json | weights | cpu | wasm |")
    print("|---|---|---|---|---|---|---|")
    for name in names or list(web_cases.CASES):
        with tempfile.TemporaryDirectory() as folder:
            scratch, case = Path(folder), web_cases.CASES[name]()
            for place in ("ours", "saved"):
                (scratch / place).mkdir()
            for who, made in (
                ("ckpt-action", ours(case, scratch / "ours")),
                ("official", official(converter, case, scratch / "saved", scratch / "official")),
            ):
                sizes = f"{made.nodes} | {made.topology:,} | {made.weights:,}"
                sizes = sizes if made.folder else " |  | "
                ran = " | ".join(computed(made, case, scratch))
                print(f"| {name.replace('_', ' ')} | {who} | {sizes} | {ran} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
