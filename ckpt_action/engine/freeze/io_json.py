"""`<model>.io.json`: what a program needs to feed and fetch a frozen graph.

    {"format": "frozen-graph-io", "version": 1, "graph": "<model>.pb",
     "signatures": [{"name", "inputs": [{"name", "dtype", "shape", "tensor"}], "outputs": [...]}],
     "weights": [{"tensor", "variable", "dtype", "shape"}]}

`tensor` is a tensor's name in the graph (`x:0`), `dtype` TensorFlow's name. A shape holds sizes,
names of free dimensions, or null where a free dimension has no name; null instead of a shape is an
unknown rank. `variable` is the model's path of the variable whose value the constant holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from ckpt_action.codec import from_data, to_data
from ckpt_action.errors import ExitCode, Where, fail
from ckpt_action.outcome import SignatureRecord

if TYPE_CHECKING:
    from ckpt_action.engine.freeze import FrozenGraph

FORMAT = "frozen-graph-io"
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class GraphIO:
    """What the file says, read back."""

    graph: Path
    signatures: tuple[SignatureRecord, ...]
    weights: Mapping[str, str]
    """Const node to variable path."""


def write_io(frozen: FrozenGraph, path: Path, graph: str) -> None:
    data = {
        "format": FORMAT,
        "version": VERSION,
        "graph": graph,
        "signatures": to_data(frozen.signatures),
        "weights": [_weight(frozen, node) for node in frozen.weights],
    }
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def read_io(folder: Path) -> GraphIO:
    """Raises CkptActionError (VERIFY) where the folder has no such file, or a damaged one."""
    files = sorted(folder.glob("*.io.json"))
    if len(files) != 1:
        raise fail(
            ExitCode.VERIFY,
            f"{folder} has {len(files)} files *.io.json; a frozen graph has one.",
            hint="Export the model again.",
        )
    try:
        data = json.loads(files[0].read_text(encoding="utf-8"))
        if (data["format"], data["version"]) != (FORMAT, VERSION):
            raise ValueError(  # noqa: TRY301 - joins the errors of reading
                f"{data['format']} version {data['version']} is not known here"
            )
        if Path(data["graph"]).name != data["graph"]:
            raise ValueError(f"{data['graph']} is not a file beside it")  # noqa: TRY301 - as above
        return GraphIO(
            graph=folder / data["graph"],
            signatures=tuple(from_data(SignatureRecord, item) for item in data["signatures"]),
            weights={w["tensor"].removesuffix(":0"): w["variable"] for w in data["weights"]},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise fail(
            ExitCode.VERIFY,
            f"The description of the graph cannot be read: {error}",
            hint="Export the model again.",
            where=Where(file=str(files[0])),
        ) from error


def _weight(frozen: FrozenGraph, node: str) -> dict[str, Any]:
    tensor = tf.convert_to_tensor(frozen.values[node])
    return {
        "tensor": f"{node}:0",
        "variable": frozen.weights[node],
        "dtype": tensor.dtype.name,
        "shape": tensor.shape.as_list(),
    }
