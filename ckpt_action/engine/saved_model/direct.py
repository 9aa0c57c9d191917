"""A SavedModel of variables and functions, written without tracing anything.

`tf.saved_model.save` traces functions that save and restore each variable; most of its time, and
of the time that loading takes, goes there. The format: tensorflow/core/protobuf/saved_model.proto.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from ckpt_action.checkpoint.object_graph import GRAPH_KEY
from ckpt_action.engine.arrays import to_array
from ckpt_action.engine.records import TracedModel
from ckpt_action.engine.saved_model.apart import set_apart
from ckpt_action.engine.saved_model.content import Content, gather
from ckpt_action.engine.saved_model.graph_writer import GraphWriter
from ckpt_action.engine.saved_model.internals import Internals, internals_of_tensorflow
from ckpt_action.engine.saved_model.main_graph import write_calls
from ckpt_action.engine.saved_model.object_graph import ObjectGraph
from ckpt_action.engine.saved_model.saver import write_saver
from ckpt_action.engine.saved_model.tree import Tree
from ckpt_action.errors import ExitCode, fail

LIMIT = 2**31 - 1
"""Bytes that protocol buffers, and so every reader of `saved_model.pb`, take at most."""


def write_directly(model: TracedModel, tree: Tree, folder: Path) -> None:
    """Raises Indirect, before the first byte, where TensorFlow has to do it; CkptActionError
    (TARGET) where nobody can."""
    internals = internals_of_tensorflow()
    content = gather(model, tree, internals)
    _check_size(content)
    meta = meta_graph_pb2.MetaGraphDef(graph_def=content.functions)
    graph = GraphWriter(meta.graph_def)
    names = write_calls(graph, content, meta)
    objects = ObjectGraph(content, names)
    tracked = objects.tracked.SerializeToString(deterministic=True)
    meta.object_graph_def.CopyFrom(objects.saved)
    meta.saver_def.CopyFrom(write_saver(graph, content, names, tracked))
    for name in ("assets", "variables"):
        (folder / name).mkdir(parents=True)
    _write_values(content, tracked, folder / "variables" / "variables")
    set_apart(meta, folder)
    _describe(meta, internals)
    saved = saved_model_pb2.SavedModel(saved_model_schema_version=1, meta_graphs=[meta])
    data = saved.SerializeToString(deterministic=True)
    (folder / "saved_model.pb").write_bytes(data)
    (folder / "fingerprint.pb").write_bytes(internals.fingerprint(str(folder)))


def _describe(meta: Any, internals: Internals) -> None:
    """As TensorFlow does: attributes that older versions may not know are left out."""
    functions = meta.graph_def.library.function
    functions.sort(key=lambda f: f.signature.name)
    internals.strip_defaults(meta)
    info = meta.meta_info_def
    info.tags.append(tf.saved_model.SERVING)
    info.tensorflow_version = tf.version.VERSION
    info.tensorflow_git_version = tf.version.GIT_VERSION
    info.stripped_op_list.CopyFrom(internals.used_ops(meta.graph_def))


def _write_values(content: Content, object_graph: bytes, prefix: Path) -> None:
    """One part: of each variable its own buffer, never a copy."""
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=[*(stored.key for stored in content.variables), GRAPH_KEY],
        shape_and_slices=[""] * (len(content.variables) + 1),
        tensors=[
            *(tf.convert_to_tensor(stored.variable) for stored in content.variables),
            tf.constant(object_graph),
        ],
    )


def _check_size(content: Content) -> None:
    size = sum(to_array(constant.tensor).nbytes for constant in content.constants)
    if size > LIMIT:
        raise fail(
            ExitCode.TARGET,
            f"This model cannot be saved: its signatures use constants of {size / 2**30:.2f} GiB, "
            "and no reader takes a `saved_model.pb` of 2 GiB or more.",
            hint="Keep them as variables of the model, which have files of their own.",
        )
