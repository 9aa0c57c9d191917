"""The model's own variables, each with a path that a person would use."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

from ckpt_action.engine.objects import raw_variable
from ckpt_action.engine.records import Rebuilt
from ckpt_action.engine.restore.model.live import (
    Edges,
    holds_states,
    is_aside,
    is_random_state,
)
from ckpt_action.engine.restore.records import LiveModel, LiveVariable


def live_model(rebuilt: Rebuilt) -> LiveModel:
    """Every variable that belongs to the rebuilt model.

    What the framework lists, and what attributes, lists, dicts and tuples lead to: Keras 3 does
    not list `tf.Variable`s, and nobody lists what a plain object holds. Variables of optimizers
    and metrics are left out.
    """
    places: dict[int, str] = {}
    wrappers: dict[int, Any] = {}
    aside: set[int] = set()
    states: set[int] = set()
    edges = Edges()
    for place, item, kind in _walk(rebuilt.model, edges):
        variable = raw_variable(item)
        if variable is None:
            continue
        if kind == "aside":
            aside.add(id(variable))
            continue
        if kind == "state":
            states.add(id(variable))
        places.setdefault(id(variable), place)
        wrappers.setdefault(id(variable), item)
    for item in _listed(rebuilt.model):
        variable = raw_variable(item)
        if variable is not None and id(variable) not in aside:
            wrappers.setdefault(id(variable), item)
    ordered = [i for i in _order(rebuilt.model, wrappers) if i in wrappers]
    given = [_path(rebuilt, wrappers[i], places.get(i, "")) for i in ordered]
    paths = _unique(given, places, ordered)
    return LiveModel(
        root=rebuilt.model,
        held=rebuilt.held,
        edges=edges,
        variables=tuple(
            _live(
                wrappers[i],
                path,
                places.get(i, path),
                by_name=rebuilt.family == "graph",
                state=i in states,
            )
            for i, path in zip(ordered, paths, strict=True)
        ),
    )


def _walk(root: Any, edges: Edges) -> Iterator[tuple[str, Any, str]]:
    """(place, object, kind), nearest first; kind is `aside`, `state` or empty.

    The model's own parts are walked before what optimizers and metrics hold, since these share
    the model's variables.
    """
    seen: dict[int, Any] = {}  # holds the objects too: a freed one would lend its id to another
    queue: deque[tuple[str, Any, str]] = deque([("", root, "")])
    later: deque[tuple[str, Any, str]] = deque()
    while queue or later:
        place, item, kind = (queue or later).popleft()
        if id(item) in seen:
            continue
        seen[id(item)] = item
        yield place, item, kind
        if raw_variable(item) is not None:
            continue
        for child in edges.below(item):
            below = _kind(item, child.item, child.label, kind)
            path = f"{place}/{child.label}" if place else child.label
            (later if below == "aside" else queue).append((path, child.item, below))


def _kind(parent: Any, item: Any, name: str, inherited: str) -> str:
    if inherited:
        return inherited
    if is_aside(item):
        return "aside"
    return "state" if is_random_state(item) or holds_states(parent, name) else ""


def _listed(model: Any) -> Iterator[Any]:
    listed = getattr(model, "variables", None)
    if callable(listed):
        listed = listed()
    if isinstance(listed, (list, tuple)):
        yield from listed


def _order(model: Any, wrappers: dict[int, Any]) -> list[int]:
    """The framework's own order first, then the order of discovery."""
    listed = [id(raw_variable(item)) for item in _listed(model)]
    return list(dict.fromkeys([*listed, *wrappers]))


def _path(rebuilt: Rebuilt, wrapper: Any, place: str) -> str:
    if rebuilt.family == "keras-3" and hasattr(wrapper, "path"):
        return str(wrapper.path)
    name = str(wrapper.name).split(":")[0]
    if rebuilt.family == "graph" or (rebuilt.family == "keras-2" and name != "Variable"):
        return name
    return readable(place) if place else name


def readable(place: str) -> str:
    """A path of attributes as the code names them: without leading underscores."""
    return "/".join(part.lstrip("_") or part for part in place.split("/"))


def _unique(paths: list[str], places: dict[int, str], ordered: list[int]) -> list[str]:
    """Paths that several variables share give way to where the variables hang."""
    count = Counter(paths)
    better = [
        readable(places[i]) if count[path] > 1 and places.get(i) else path
        for i, path in zip(ordered, paths, strict=True)
    ]
    again: Counter[str] = Counter()
    result = []
    for path in better:
        again[path] += 1
        result.append(path if again[path] == 1 else f"{path}#{again[path]}")
    return result


def _live(wrapper: Any, path: str, place: str, *, by_name: bool, state: bool) -> LiveVariable:
    variable = raw_variable(wrapper)
    names = [str(variable.name).split(":")[0], str(getattr(wrapper, "path", ""))]
    return LiveVariable(
        path=path,
        variable=variable,
        trainable=bool(getattr(wrapper, "trainable", variable.trainable)),
        place=place,
        attributes=path if by_name else readable(place),
        names=tuple(dict.fromkeys(name for name in names if name)),
        state=state,
    )
