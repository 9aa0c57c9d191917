"""The variables and tables of any Python object, reached through attributes, lists and dicts."""

from __future__ import annotations

import functools
import inspect
import types
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from ckpt_action.engine.kerases import loaded_keras

_OPAQUE = (str, bytes, int, float, complex, bool, type, types.ModuleType, tf.Tensor, tf.TensorSpec)
_CLOSED_PACKAGES = frozenset({"builtins", "collections", "numpy", "threading", "weakref"})


def raw_variable(found: object) -> Any:
    """The resource variable behind `found`: a `tf.Variable`, or a Keras variable of either
    generation (Keras 2 wraps it for mixed precision); None where `found` is no variable."""
    if isinstance(found, tf.Variable):
        wrapped = getattr(found, "_variable", None)
        return wrapped if isinstance(wrapped, tf.Variable) else found
    keras = loaded_keras(3)
    if keras is not None and isinstance(found, keras.Variable):
        return found.value if isinstance(found.value, tf.Variable) else None
    return None


def reachable_variables(root: object) -> tuple[tuple[str, Any], ...]:
    """(path of attributes, raw variable), each variable once, in the order of discovery."""
    found: dict[int, tuple[str, Any]] = {}
    for path, item in walk(root):
        variable = raw_variable(item)
        if variable is not None:
            found.setdefault(id(variable), (path, variable))
    return tuple(found.values())


def reachable_resources(root: object) -> tuple[tuple[str, Any], ...]:
    """(path, object) of lookup tables and other trackables that own a resource but no variable."""
    return tuple(
        (path, item)
        for path, item in walk(root)
        if isinstance(item, tf.saved_model.experimental.TrackableResource)
    )


def walk(root: object) -> Iterator[tuple[str, Any]]:
    """Everything that `root` holds, nearest first, each object once."""
    seen: set[int] = set()
    keep_alive: list[object] = []
    queue: deque[tuple[str, object]] = deque([("", root)])
    while queue:
        path, item = queue.popleft()
        if item is None or isinstance(item, _OPAQUE) or id(item) in seen:
            continue
        seen.add(id(item))
        keep_alive.append(item)
        yield path, item
        if raw_variable(item) is None:
            queue.extend((f"{path}/{name}" if path else name, c) for name, c in _children(item))


def _children(item: object) -> Iterator[tuple[str, object]]:
    if isinstance(item, Mapping):
        yield from ((_key(key), value) for key, value in list(item.items()))
    elif isinstance(item, (list, tuple, set, frozenset)):
        yield from ((str(index), value) for index, value in enumerate(item))
    elif isinstance(item, functools.partial):
        yield from (("func", item.func), ("args", item.args), ("keywords", item.keywords))
    elif inspect.ismethod(item):
        yield from (("self", item.__self__), ("func", item.__func__))
    elif inspect.isfunction(item):
        yield from _closure(item)
    elif hasattr(item, "python_function"):
        yield "python_function", item.python_function
    else:
        yield from _attributes(item)


def _key(key: object) -> str:
    """The key as a part of a path; that of a variable, which Keras 2 has, would show its values."""
    return str(key) if isinstance(key, (str, bytes, int, float)) else type(key).__name__


def _closure(function: types.FunctionType) -> Iterator[tuple[str, object]]:
    """What the function reads beside its arguments: enclosing variables and module globals."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if isinstance(value, (tf.Variable, tf.Module)) or raw_variable(value) is not None:
            yield name, value


def _attributes(item: object) -> Iterator[tuple[str, object]]:
    package = type(item).__module__.split(".")[0]
    if package in _CLOSED_PACKAGES and not isinstance(item, (dict, list)):
        return
    if package == "tensorflow" and not isinstance(item, tf.Module) and not _is_trackable(item):
        return
    yield from list(getattr(item, "__dict__", {}).items())
    for kind in type(item).__mro__:
        for name in kind.__dict__.get("__slots__", ()):
            if hasattr(item, name):
                yield name, getattr(item, name)


def _is_trackable(item: object) -> bool:
    return hasattr(item, "_trackable_children")
