"""Whether a checkpoint has the part that `restore.root` names."""

from __future__ import annotations

from collections.abc import Sequence

from ckpt_action.checkpoint.bundle import TensorBundle
from ckpt_action.checkpoint.names import shown
from ckpt_action.checkpoint.records import CheckpointFiles, Kind, ObjectNode
from ckpt_action.checkpoint.roles import optimizers
from ckpt_action.config.records import Model
from ckpt_action.config.wording import did_you_mean
from ckpt_action.errors import CkptActionError, ExitCode, Problem


def part_at(nodes: Sequence[ObjectNode], root: str) -> int | Problem:
    """The node of the part; else what is wrong with its name."""
    node, way = 0, ""
    for part in root.split(".") if root else []:
        children = nodes[node].children
        if part not in children:
            none = {*optimizers(tuple(nodes))}
            parts = [n for n, c in children.items() if nodes[c].children and c not in none]
            return _no_part(f"`{way}`" if way else "The checkpoint", part, parts)
        node = children[part]
        way = f"{way}.{part}" if way else part
    return node


def _no_part(place: str, part: str, known: Sequence[str]) -> Problem:
    own = sorted(name for name in known if not name.startswith("_")) or sorted(known)
    has = f"It has {shown(own)}." if own else "It has no parts."
    begun = [name for name in own if name.startswith(part)]
    guess = did_you_mean(part, own)
    if len(begun) == 1:
        guess = f"Did you mean `{begun[0]}`?"
    return Problem(
        code=ExitCode.RESTORE,
        message=f"{place} has no part `{part}`, which `restore.root` names.",
        hint=f"{guess} {has}".strip(),
    )


def root_problem(model: Model, checkpoint: CheckpointFiles) -> Problem | None:
    """Asked without TensorFlow, of checkpoints with an object graph; None where nothing is wrong,
    or the checkpoint cannot be read, which is said elsewhere."""
    if not model.restore.root or checkpoint.kind is not Kind.OBJECT_GRAPH:
        return None
    try:
        graph = TensorBundle(checkpoint.path).object_graph()
    except CkptActionError:
        return None
    found = part_at(graph.nodes, model.restore.root) if graph else 0
    return found if isinstance(found, Problem) else None
