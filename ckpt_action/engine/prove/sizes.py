"""Whether integers that a function takes decide how much it computes."""

from __future__ import annotations

from typing import Any

from ckpt_action.engine.freeze.graph import reachable_functions

_SHAPES = {"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"}
"""What they give does not depend on values."""
_SIZING = {
    "BroadcastTo", "Bincount", "DenseBincount", "EmptyTensorList", "Fill", "LinSpace", "MirrorPad",
    "OneHot", "Pad", "PadV2", "Range", "ResizeArea", "ResizeBicubic", "ResizeBilinear",
    "ResizeNearestNeighbor", "ScatterNd", "SegmentMax", "SegmentMean", "SegmentMin", "SegmentProd",
    "SegmentSum", "SparseToDense", "StatelessWhile", "TensorListReserve", "Tile",
    "UnsortedSegmentMax", "UnsortedSegmentMin", "UnsortedSegmentProd", "UnsortedSegmentSum",
    "While",
}  # fmt: skip


def integers_make_sizes(function: Any) -> bool:
    """Follows the values of integer inputs; true where they reach a loop, or an op that makes a
    tensor as large as they say."""
    graph = function.graph
    definition = graph.as_graph_def()
    functions = {f.signature.name: f for f in definition.library.function}
    nodes = {node.name: node for node in definition.node}
    captured = {id(tensor) for tensor in graph.internal_captures}
    waiting = [t for t in graph.inputs if t.dtype.is_integer and id(t) not in captured]
    seen: set[str] = set()
    while waiting:
        for op in waiting.pop().consumers():
            if op.name in seen or op.type in _SHAPES:
                continue
            seen.add(op.name)
            inside = reachable_functions([nodes[op.name]], functions)
            ops = {op.type, *(n.op for name in inside for n in functions[name].node_def)}
            if ops & _SIZING:
                return True
            waiting += op.outputs
    return False
