"""Whether numbers that a function takes decide how much it computes."""

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
_SIZED_BY = {
    "BroadcastTo": 1, "MirrorPad": 1, "OneHot": 1, "Pad": 1, "PadV2": 1, "ResizeArea": 1,
    "ResizeBicubic": 1, "ResizeBilinear": 1, "ResizeNearestNeighbor": 1, "ScatterNd": 2, "Tile": 1,
}  # fmt: skip
"""The one input of theirs that says how large; the others are values."""


def integers_make_sizes(function: Any) -> bool:
    """Follows the values of integer inputs; true where they reach a loop, or an op that makes a
    tensor as large as they say."""
    return _make_sizes(function.graph, [t for t in _inputs(function.graph) if t.dtype.is_integer])


def floats_make_sizes(function: Any) -> bool:
    """The same of floats that the graph itself turns into integers."""
    waiting = [t for t in _inputs(function.graph) if t.dtype.is_floating]
    seen: set[str] = set()
    turned = []
    while waiting:
        for op in waiting.pop().consumers():
            if op.name in seen or op.type in _SHAPES:
                continue
            seen.add(op.name)
            whole = [t for t in op.outputs if t.dtype.is_integer]
            turned += whole if op.type == "Cast" else []
            waiting += op.outputs
    return _make_sizes(function.graph, turned)


def _inputs(graph: Any) -> list[Any]:
    captured = {id(tensor) for tensor in graph.internal_captures}
    return [t for t in graph.inputs if id(t) not in captured]


def _make_sizes(graph: Any, waiting: list[Any]) -> bool:
    if not waiting:
        return False
    definition = graph.as_graph_def()
    functions = {f.signature.name: f for f in definition.library.function}
    nodes = {node.name: node for node in definition.node}
    seen: set[str] = set()
    while waiting:
        tensor = waiting.pop()
        for op in tensor.consumers():
            if op.type in _SIZED_BY and op.inputs[_SIZED_BY[op.type]].name == tensor.name:
                return True
            if op.name in seen or op.type in _SHAPES:
                continue
            seen.add(op.name)
            inside = reachable_functions([nodes[op.name]], functions)
            ops = {n.op for name in inside for n in functions[name].node_def}
            if op.type in _SIZING - _SIZED_BY.keys() or ops & _SIZING:
                return True
            waiting += op.outputs
    return False
