"""Whether a model computes in floats of 16 bits, which every runtime rounds in its own way."""

from __future__ import annotations

import itertools

from tensorflow.core.framework import types_pb2

from ckpt_action.engine.records import TracedModel

_HALVES = {types_pb2.DT_HALF: "float16", types_pb2.DT_BFLOAT16: "bfloat16"}


def half_precision(model: TracedModel) -> str:
    """The dtype's name; empty where there is none. Where there are both, the coarser one."""
    found = set()
    for signature in model.signatures:
        graph = signature.function.graph.as_graph_def()
        bodies = (graph.node, *(f.node_def for f in graph.library.function))
        for node in itertools.chain(*bodies):
            found |= {value.type for value in node.attr.values()} & _HALVES.keys()
    return max((_HALVES[dtype] for dtype in found), key=lambda name: name == "bfloat16", default="")
