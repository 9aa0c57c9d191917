"""Nothing in a SavedModel that another one in the same process could take for its own.

TensorFlow keeps two kinds of things for a whole process or session, under names that files bring
along: functions that implement the same thing, and tables and other resources. Variables keep their
names: TFLite's converter looks for a node of the name that a variable is shared by.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tensorflow.core.protobuf import saved_model_pb2

from ckpt_action.engine.freeze.graph import reachable_functions
from ckpt_action.engine.saved_model.internals import fingerprint_maker

VARIANT = ("api_implements", "api_preferred_device")
"""Attributes of functions that TensorFlow may run in place of each other."""


def set_apart(meta: Any, folder: Path) -> None:
    """Change `meta`, which is to become `folder`'s graph; the values are in `folder` already."""
    _drop_variants(meta)
    resources = (node for node in _nodes(meta) if node.op != "VarHandleOp")
    shared = [node.attr["shared_name"] for node in resources if "shared_name" in node.attr]
    named = [name for name in shared if name.s]
    if named:
        suffix = b"_" + _digest(meta, folder).encode()
        for name in named:
            name.s += suffix


def set_file_apart(folder: Path) -> None:
    """The same of a SavedModel that is written."""
    file = folder / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    (meta,) = saved.meta_graphs
    set_apart(meta, folder)
    file.write_bytes(saved.SerializeToString(deterministic=True))
    (folder / "fingerprint.pb").unlink(missing_ok=True)  # of the file as it was
    if make := fingerprint_maker():
        (folder / "fingerprint.pb").write_bytes(make(str(folder)))


def _drop_variants(meta: Any) -> None:
    """Leave the functions that were traced, and proven; a variant is called by nobody else."""
    library = meta.graph_def.library
    marked = [f for f in library.function if any(key in f.attr for key in VARIANT)]
    if not marked:
        return
    for function in marked:
        for key in VARIANT:
            function.attr.pop(key, None)
    functions = {f.signature.name: f for f in library.function}
    used = {
        *reachable_functions(meta.graph_def.node, functions),
        *meta.object_graph_def.concrete_functions,
    }
    kept = [f for name, f in functions.items() if name in used]
    del library.function[:]
    library.function.extend(kept)


def _nodes(meta: Any) -> Iterator[Any]:
    yield from meta.graph_def.node
    for function in meta.graph_def.library.function:
        yield from function.node_def


def _digest(meta: Any, folder: Path) -> str:
    """Of the graph, the values (their index has a checksum of each) and the vocabularies."""
    content = hashlib.sha256(meta.SerializeToString(deterministic=True))
    assets = sorted(path for path in (folder / "assets").rglob("*") if path.is_file())
    for path in (folder / "variables" / "variables.index", *assets):
        content.update(hashlib.sha256(path.read_bytes()).digest())
    return content.hexdigest()[:16]
