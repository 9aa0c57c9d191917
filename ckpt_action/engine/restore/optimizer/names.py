"""What the names that an optimizer recorded say about the variables that it trained."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from ckpt_action.engine.restore.optimizer.lists import slot_names
from ckpt_action.engine.restore.records import LiveModel, LiveVariable, Value
from ckpt_action.engine.restore.sources.graph import CheckpointGraph


def named_by_slots(
    value: Value, node: int, live: LiveVariable, graph: CheckpointGraph, model: LiveModel
) -> Value:
    """`value` with the path that the optimizer gave its slots: `adam/net_dense_1_kernel_momentum`
    beside the variable `net/dense_1/kernel`. Its own name tells the outermost model alone."""
    for name in slot_names(graph, node):
        shared = {v.path: _shared_parts(v.path, name) for v in model.variables}
        best = max(shared.values())
        paths = [path for path, count in shared.items() if count == best]
        if best > 1 and len(paths) == 1:
            return replace(value, full_name=paths[0])
        families = _families(live.path)[-2:]
        pattern = "_".join(rf"({re.escape(family)}(?:_\d+)?)" for family in families)
        if match := re.search(rf"(?<![^/_]){pattern}_", name):
            return replace(value, full_name="/".join(match.groups()))
    return value


def _shared_parts(path: str, name: str) -> int:
    """How many parts of `path`, from its end, follow one another in the name of a slot."""
    parts, slot = path.split("/"), "_" + name.replace("/", "_")
    ends = ("_".join(["", *parts[start:], ""]) for start in range(len(parts)))
    return next((len(parts) - start for start, end in enumerate(ends) if end in slot), 0)


def contradiction(
    graph: CheckpointGraph, pairs: Iterable[tuple[LiveVariable, int]]
) -> tuple[str, str] | None:
    """(recorded name, path in the model) of the first pair whose names cannot be of one variable.

    Numbers that Keras counts on say nothing, nor do scopes that one side has outside of the
    other's. Where slots tell the whole path, that has to agree.
    """
    for live, node in pairs:
        value = graph.value(node)
        names = {name for name in (live.path, *live.names) if "/" in name}
        if value is None or not names:
            continue
        scope = value.full_name.partition("/")[0]
        slots = [slot.rpartition("/")[2] for slot in slot_names(graph, node)]
        told = [slot for slot in slots if slot.startswith(f"{scope}_")]
        if told and not any(_in_slot(name, slot) for name in names for slot in told):
            return told[0], live.path
        if not told and not any(_alike(name, value.full_name) for name in names):
            return value.full_name, live.path
    return None


def _in_slot(path: str, slot: str) -> bool:
    """Whether `slot` is named by `path`, or by what is left of it without its outer scopes."""
    parts = [rf"{re.escape(family)}(?:_\d+)?" for family in _families(path)]
    inner = ("_".join(parts[start:]) for start in range(1, len(parts) - 1))
    whole = "_".join(parts)
    return bool(re.search(rf"(?:^|_){whole}_", slot)) or any(
        re.match(f"{one}_", slot) for one in inner
    )


def _alike(path: str, recorded: str) -> bool:
    """By the variable's own name and the outermost scope: TensorFlow's name has no others."""
    live, stored = _families(path), _families(recorded)
    return live[-1] == stored[-1] and (len(stored) == 1 or stored[0] in live or live[0] in stored)


def _families(path: str) -> list[str]:
    return [re.sub(r"_\d+$", "", part) for part in path.split("/")]
