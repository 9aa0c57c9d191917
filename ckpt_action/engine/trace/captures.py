"""What a traced function reads beside its inputs: every such thing has to be known and restored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from ckpt_action.engine.objects import reachable_resources, reachable_variables
from ckpt_action.engine.records import ModelVariable, Restored
from ckpt_action.errors import CkptActionError, ExitCode, Problem


@dataclass(frozen=True, kw_only=True)
class Captures:
    variables: tuple[ModelVariable, ...]
    resources: tuple[Any, ...]


def find_captures(restored: Restored, signature: str, graph: Any) -> Captures:
    """What the function graph captures.

    Raises CkptActionError (SIGNATURE) naming every variable and resource that is unknown.
    """
    known = {id(v.variable.handle): v for v in restored.variables}
    others = [external for external, _ in graph.captures if id(external) not in known]
    held = reachable_resources(restored.rebuilt.model) if any(map(_is_handle, others)) else ()
    tables = {id(table.resource_handle): table for _, table in held}
    variables: list[ModelVariable] = []
    resources: list[Any] = []
    problems: list[Problem] = []
    for external, _ in graph.captures:
        if id(external) in known:
            variables.append(known[id(external)])
        elif id(external) in tables:
            resources.append(tables[id(external)])
        elif _is_handle(external):
            problems.append(_unknown(restored, signature, graph, external))
    if problems:
        raise CkptActionError(*problems)
    return Captures(variables=tuple(variables), resources=tuple(resources))


def _is_handle(tensor: Any) -> bool:
    return tensor.dtype in (tf.resource, tf.variant)


def _unknown(restored: Restored, signature: str, graph: Any, handle: Any) -> Problem:
    held = {id(v.handle): path for path, v in reachable_variables(restored.rebuilt.model)}
    used = {id(v.handle): v.name for v in graph.variables}
    name = held.get(id(handle)) or used.get(id(handle), "").removesuffix(":0")
    if name:
        message = f"reads the variable `{name}`, which is not restored"
        if id(handle) not in held:
            message += " because the model does not hold it (an untracked resource)"
        hint = "Make it an attribute of what the entry point returns, before it is first called."
    else:
        message = (
            f"uses a {handle.dtype.name} (a table, dataset iterator or queue) that the model "
            "does not hold"
        )
        hint = "Keep lookup tables as attributes of the model; take data pipelines out of it."
    return Problem(code=ExitCode.SIGNATURE, message=f"signature {signature} {message}.", hint=hint)
