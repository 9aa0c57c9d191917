"""Writes the TF1 graphs' checkpoints: name-based, with and without `.meta`, and the V1 format."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2
from tf1_graphs import GRAPHS, Graph
from zoo_models import GOLDEN_NAMES, save_golden

v1 = tf.compat.v1


def generate(world: Path, versions: Mapping[str, str]) -> list[dict[str, str]]:
    holes = []
    v1.disable_control_flow_v2()
    try:
        for name, build in GRAPHS.items():
            try:
                _write(world / "tf1" / name, build, world.name, versions)
            except Exception as error:
                reason = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:160]}"
                holes.append({"architecture": "tf1", "saver": name, "reason": reason})
                shutil.rmtree(world / "tf1" / name, ignore_errors=True)
    finally:
        v1.enable_control_flow_v2()
    return holes


def _write(
    folder: Path, build: Callable[[], Graph], world: str, versions: Mapping[str, str]
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rng = np.random.default_rng(5)
    config = v1.ConfigProto(allow_soft_placement=True)
    with tf.Graph().as_default(), v1.Session(config=config) as session:
        made = build()
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        for item in v1.global_variables():
            if item.dtype.base_dtype.is_floating:
                value = rng.normal(0.0, 0.6, item.shape)
                item.load(np.abs(value) if "variance" in item.name else value, session)
        v1.train.Saver(**made.saver).save(session, str(folder / "model.ckpt"), global_step=20)
        if made.averages is not None:
            for item in v1.trainable_variables():
                item.load(session.run(made.averages.average(item)), session)
        _write_golden(folder, made, session, rng)
    _move_away(folder / "checkpoint", folder)
    meta = folder / "model.ckpt-20.meta"
    if made.entry_point:
        meta.unlink()
    elif made.device:
        _place(meta, made.device)
    case = {
        "world": world,
        **versions,
        "architecture": "tf1",
        "saver": folder.name,
        "entry_point": made.entry_point,
        "method": "__call__",
        "checkpoint": "model.ckpt-20",
        "root": None,
        "weights": made.weights,
        "inputs": {name: _declared(tensor) for name, tensor in made.inputs.items()},
        "outputs": {name: tensor.name for name, tensor in made.outputs.items()},
        "constants": dict(made.constants),
        "goldens": list(GOLDEN_NAMES),
        "refuse": "",
    }
    (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n", encoding="utf-8")


def _move_away(state: Path, folder: Path) -> None:
    """The Saver writes absolute paths; the machine that they were true on is another one."""
    text = state.read_text(encoding="utf-8")
    state.write_text(text.replace(str(folder), "/data/runs/7"), encoding="utf-8")


def _place(meta: Path, device: str) -> None:
    graph_file = meta_graph_pb2.MetaGraphDef.FromString(meta.read_bytes())
    for node in graph_file.graph_def.node:
        node.device = device
    meta.write_bytes(graph_file.SerializeToString(deterministic=True))


def _declared(tensor: Any) -> dict[str, Any]:
    rank_known = tensor.shape.rank is not None
    shape = [size or "batch" for size in tensor.shape.as_list()] if rank_known else ["batch", 4]
    return {"dtype": tensor.dtype.base_dtype.name, "shape": shape, "tensor": tensor.name}


def _write_golden(folder: Path, made: Graph, session: Any, rng: np.random.Generator) -> None:
    for name, batch in zip(GOLDEN_NAMES, (3, 1), strict=True):
        feeds, arrays = dict(made.constants), {}
        for key, tensor in made.inputs.items():
            shape = [batch if size == "batch" else size for size in _declared(tensor)["shape"]]
            value = (
                np.array([b"cat", b"dog", b"the"][:batch])
                if tensor.dtype == tf.string
                else rng.uniform(-1.0, 1.0, shape).astype(tensor.dtype.as_numpy_dtype)
            )
            feeds[tensor] = arrays[f"in_{key}"] = value
        outputs = session.run(list(made.outputs.values()), feeds)
        arrays |= {f"out_{k}": value for k, value in enumerate(outputs)}
        save_golden(folder / name, arrays)
