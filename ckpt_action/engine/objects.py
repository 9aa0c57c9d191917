"""The variables and tables of any Python object, reached through attributes, lists and dicts."""

from __future__ import annotations

import functools
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from ckpt_action.engine.keras_versions import loaded_keras

_OPAQUE = (
    type(None),
    str,
    bytes,
    int,
    float,
    complex,
    bool,
    type,
    types.ModuleType,
    tf.Tensor,
    tf.TensorSpec,
)
_BUILT_IN = frozenset({list, tuple, dict, set, frozenset})
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


Held = tuple[tuple[str, Any], ...]
"""What `walk` yields, kept for several questions: a walk over a model of hundreds of layers takes
as long as running it."""


def reachable_variables(root: object) -> Held:
    """(path of attributes, raw variable), each variable once, in the order of discovery."""
    return variables_among(walk(root))


def variables_among(items: Iterable[tuple[str, Any]]) -> Held:
    """As `reachable_variables`, of what was walked already."""
    found: dict[int, tuple[str, Any]] = {}
    for path, item in items:
        variable = raw_variable(item)
        if variable is not None:
            found.setdefault(id(variable), (path, variable))
    return tuple(found.values())


def reachable_resources(root: object) -> Held:
    """(path, object) of lookup tables and other trackables that own a resource but no variable."""
    return resources_among(walk(root))


def resources_among(items: Iterable[tuple[str, Any]]) -> Held:
    """As `reachable_resources`, of what was walked already."""
    return tuple(
        (path, item)
        for path, item in items
        if isinstance(item, tf.saved_model.experimental.TrackableResource)
    )


def walk(root: object) -> Iterator[tuple[str, Any]]:
    """Everything that `root` holds, nearest first, each object once."""
    seen: set[int] = set()
    keep_alive: list[object] = []
    queue: deque[tuple[str, Any]] = deque([("", root)])
    while queue:
        path, item = queue.popleft()
        if id(item) in seen:
            continue
        seen.add(id(item))
        keep_alive.append(item)
        yield path, item
        kind: Any = type(item)
        if _may_be_variable(kind) and raw_variable(item) is not None:
            continue
        prefix = f"{path}/" if path else ""
        for name, child in _children(item):
            kind = type(child)
            # Half of what a model holds are containers with nothing in them.
            if not _is_opaque(kind) and (kind not in _BUILT_IN or child) and id(child) not in seen:
                queue.append((prefix + name, child))


@functools.cache
def _is_opaque(kind: type) -> bool:
    return issubclass(kind, _OPAQUE)


@functools.cache
def _may_be_variable(kind: type) -> bool:
    """Also what may claim to be of another class than it is, as wrappers do."""
    bases = kind.__mro__[:-1]
    if any({"__class__", "__getattribute__"} & vars(base).keys() for base in bases):
        return True
    keras = loaded_keras(3)
    return issubclass(kind, (tf.Variable, keras.Variable) if keras else tf.Variable)


def _children(item: object) -> Iterable[tuple[str, Any]]:
    kind = type(item)
    if kind not in _readers:
        _readers[kind] = _reader(item)
    return _readers[kind](item)


def _reader(item: object) -> _Reader:
    """What lists the children of `item` and of all objects of its type.

    Asked of the object, for the wrappers that TensorFlow puts around dicts claim their class.
    """
    for one, reader in _READERS:
        if isinstance(item, one):
            return reader
    # The first question after an abstract class takes long for each type.
    if hasattr(item, "keys") and isinstance(item, Mapping):
        return _READERS[0][1]
    kind = type(item)
    if hasattr(kind, "python_function"):
        return lambda function: [("python_function", function.python_function)]
    if is_closed(kind):
        return lambda _: ()
    slots = [name for base in kind.__mro__ for name in _slots(base)]
    return functools.partial(_attributes, slots)


def is_closed(kind: Any) -> bool:
    """Whether `walk` asks no object of this type what it holds."""
    package = kind.__module__.split(".")[0]
    if hasattr(kind, "python_function"):
        return False
    foreign = package == "tensorflow" and not hasattr(kind, "_trackable_children")
    return package in _CLOSED_PACKAGES or foreign


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
        kind: Any = type(value)
        if isinstance(value, (tf.Module, tf.saved_model.experimental.TrackableResource)) or (
            _may_be_variable(kind) and raw_variable(value) is not None
        ):
            yield name, value


def _slots(kind: type) -> tuple[str, ...]:
    names = kind.__dict__.get("__slots__", ())
    return (names,) if isinstance(names, str) else tuple(names)


def _attributes(slots: Sequence[str], item: object) -> Iterator[tuple[str, object]]:
    yield from list(getattr(item, "__dict__", {}).items())
    for name in slots:
        if hasattr(item, name):
            yield name, getattr(item, name)


_Reader = Callable[[Any], Iterable[tuple[str, Any]]]
_readers: dict[type, _Reader] = {}
"""By type: a model has thousands of objects of a few types, and most of the time of a walk would go
into telling them apart."""
_READERS: tuple[tuple[type, _Reader], ...] = (
    (dict, lambda item: [(_key(key), value) for key, value in list(item.items())]),
    *(
        (kind, lambda item: [(str(index), value) for index, value in enumerate(item)])
        for kind in (list, tuple, set, frozenset)
    ),
    (functools.partial, lambda f: [("func", f.func), ("args", f.args), ("keywords", f.keywords)]),
    (types.MethodType, lambda item: [("self", item.__self__), ("func", item.__func__)]),
    (types.FunctionType, _closure),
)
