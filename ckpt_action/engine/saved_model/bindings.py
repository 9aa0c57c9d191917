"""Whether the files bind each function to what it was traced with: inputs, weights, outputs.

They say so twice. `tf.saved_model.load` follows the saved objects; sessions and C++ follow the
nodes of the graph. Verification runs the first; here both are read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from ckpt_action.checkpoint.bundle import TensorBundle
from ckpt_action.engine.arrays import digest, to_array
from ckpt_action.engine.freeze.interface import function_interface
from ckpt_action.engine.records import TracedModel, TracedSignature
from ckpt_action.engine.saved_model.read_back import Binding, by_nodes, by_objects
from ckpt_action.errors import ExitCode, fail


def check_bindings(
    model: TracedModel, folder: Path, bundle: TensorBundle, payloads: Mapping[str, str]
) -> None:
    """`bundle`: the folder's `variables/`; `payloads`: key there to the path of the variable.

    Raises CkptActionError (TARGET).
    """
    data = (folder / "saved_model.pb").read_bytes()
    (meta,) = saved_model_pb2.SavedModel.FromString(data).meta_graphs
    tracked = bundle.object_graph()
    views = {
        "objects": by_objects(meta, tracked, payloads) if tracked else {},
        "nodes": by_nodes(meta, payloads),
    }
    paths = {id(v.variable.handle): v.path for v in model.variables}
    traced = {s.declared.name: _traced(s, paths) for s in model.signatures}
    wrong = [
        f"{view} of {name}: {line}"
        for view, written in views.items()
        for name in traced.keys() | written.keys()
        for line in _differences(traced.get(name), written.get(name))
    ]
    if wrong:
        raise fail(
            ExitCode.TARGET,
            "The written SavedModel binds its functions otherwise than they were traced.",
            hint="Please report this, with the model.",
            details=sorted(wrong),
        )


def _traced(signature: TracedSignature, paths: Mapping[int, str]) -> Binding:
    face = function_interface(signature.function)
    return Binding(
        function=tf.compat.as_str(signature.function.name),
        inputs=tuple(face.inputs),
        captures=tuple(
            paths.get(id(captured)) or digest(to_array(captured))
            for captured in face.captures.values()
        ),
        outputs=tuple(face.outputs),
    )


def _differences(traced: Binding | None, written: Binding | None) -> list[str]:
    if traced is None or written is None:
        return ["is missing" if written is None else "is extra"]
    found = asdict(written)
    return [
        f"{part} are {found[part]}, traced {wanted}"
        for part, wanted in asdict(traced).items()
        if found[part] != wanted
    ]
