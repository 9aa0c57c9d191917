"""Which sizes of an output are the free sizes of the inputs, told by shape inference alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from ckpt_action.config.records import Signature

Shape = tuple[int | str | None, ...]

_FIRST_SIZES = (1009, 1511, 2003, 2503, 3001, 3511, 4001, 4507)
_SECOND_SIZES = (1013, 1523, 2011, 2521, 3011, 3517, 4003, 4513)
"""Primes, so that a size in an output is hardly ever another dimension's by chance."""


def output_shapes(
    signature: Signature, graph: Any, outputs: Sequence[tf.Tensor]
) -> tuple[Shape | None, ...]:
    """One shape per output: sizes, names of free dimensions, None where nothing is known.

    The graph's shapes are inferred twice with other numbers for the free dimensions: an unknown
    size that follows a number both times is that dimension.
    """
    known = [None if t.shape.rank is None else tuple(t.shape) for t in outputs]
    free = sorted({d for spec in signature.inputs for d in spec.shape if isinstance(d, str)})
    if not free or len(free) > len(_FIRST_SIZES) or all(s and None not in s for s in known):
        return tuple(known)
    runs = _inferred(
        signature,
        graph,
        outputs,
        [dict(zip(free, sizes, strict=False)) for sizes in (_FIRST_SIZES, _SECOND_SIZES)],
    )
    names = dict(zip(zip(_FIRST_SIZES, _SECOND_SIZES, strict=True), free, strict=False))
    return tuple(
        _merged(shape, first, second, names)
        for shape, first, second in zip(known, *runs, strict=True)
    )


def _merged(
    known: Shape | None,
    first: Shape | None,
    second: Shape | None,
    names: dict[tuple[int, int], str],
) -> Shape | None:
    if first is None or second is None or len(first) != len(second):
        return known
    known = known or (None,) * len(first)
    return tuple(
        size if size is not None else names.get((a, b), a if a == b else None)  # type: ignore[arg-type]
        for size, a, b in zip(known, first, second, strict=True)
    )


def _inferred(
    signature: Signature, graph: Any, outputs: Sequence[tf.Tensor], runs: Sequence[dict[str, int]]
) -> list[tuple[Shape | None, ...]]:
    """The outputs' shapes for the sizes of each run."""
    definition = graph.as_graph_def()
    shapes: list[tuple[Shape | None, ...]] = []
    with tf.Graph().as_default():
        handles = _handles(graph)
        for number, sizes in enumerate(runs):
            inputs = {
                f"{spec.name}:0": tf.compat.v1.placeholder(
                    spec.dtype, [sizes[d] if isinstance(d, str) else d for d in spec.shape]
                )
                for spec in signature.inputs
            }
            try:
                found = tf.graph_util.import_graph_def(
                    definition,
                    input_map=inputs | handles,
                    return_elements=[tensor.name for tensor in outputs],
                    name=f"run_{number}",
                )
            except ValueError:  # a size that the graph refuses
                shapes.append((None,) * len(outputs))
            else:
                shapes.append(
                    tuple(None if t.shape.rank is None else tuple(t.shape) for t in found)
                )
    return shapes


def _handles(graph: Any) -> dict[str, Any]:
    """Stand-ins for the captured variables, of known dtype and shape."""
    variables = {id(v.handle): v for v in graph.variables}
    return {
        inner.name: tf.raw_ops.VarHandleOp(dtype=v.dtype, shape=v.shape)
        for outer, inner in graph.captures
        if (v := variables.get(id(outer))) is not None
    }
