"""Whether checkpoints whose names differ by a number hold the same model at different steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ckpt_action.checkpoint.bundle import TensorBundle
from ckpt_action.checkpoint.identify import is_prefix
from ckpt_action.checkpoint.records import Role
from ckpt_action.checkpoint.roles import read_roles
from ckpt_action.errors import CkptActionError


def other_model(chosen: Path, others: Iterable[Path]) -> tuple[Path, str] | None:
    """The first of `others` that holds a value of the model under the same key in another shape,
    and that key: `model-64` and `model-128` may be widths, not steps."""
    shapes = _shapes(chosen)
    for other in others:
        for key, shape in _shapes(other).items():
            if shapes.get(key, shape) != shape:
                return other, key
    return None


def _shapes(path: Path) -> Mapping[str, tuple[int, ...]]:
    """Of the model's values; empty where `path` is no readable TensorFlow checkpoint."""
    if not is_prefix(path):
        return {}
    try:
        bundle = TensorBundle(path)
        graph = bundle.object_graph()
    except CkptActionError:
        return {}
    roles = read_roles(graph, bundle.entries).by_key if graph else {}
    return {
        key: entry.shape
        for key, entry in bundle.entries.items()
        if roles.get(key, Role.OTHER if graph else Role.MODEL) is Role.MODEL
    }
