"""Where variables are made and read: what has to be changed in TensorFlow and Keras for a while."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import tensorflow as tf

from ckpt_action.engine import internals
from ckpt_action.engine.keras_versions import loaded_keras
from ckpt_action.engine.rebuild.lazy_init import LazyVariables
from ckpt_action.engine.rebuild.zero_pages import can_tell


@contextmanager
def lazy_variables(lazy: LazyVariables) -> Iterator[None]:
    """Variables made inside are filled late where that is certain to make no difference.

    Where `lazy` is not enabled, this machine cannot tell whether memory was read, or TensorFlow has
    no place to watch for reads, all are filled at once; `lazy` is told the latter two. Runs no
    operation itself: user code may still have to configure TensorFlow.
    """
    variable, function = internals.resource_variable_class(), internals.concrete_function_class()
    if lazy.enabled:
        lazy.hindrance = _hindrance(variable, function)
    with ExitStack() as stack:
        if lazy.enabled and variable and function and not lazy.hindrance:
            stack.enter_context(tf.variable_creator_scope(functools.partial(_create, lazy)))
            stack.enter_context(_watched_handles(lazy, variable))
            for owner, name, replacement in _replacements(lazy, function):
                stack.callback(setattr, owner, name, owner.__dict__[name])
                setattr(owner, name, replacement)
        yield


def _hindrance(*classes: type | None) -> str:
    if None in classes:
        return f"TensorFlow {tf.__version__} lacks a class by which reads of variables are seen"
    return "" if can_tell() else "this machine does not tell which memory was read"


def _replacements(lazy: LazyVariables, concrete: type) -> Iterator[tuple[Any, str, Any]]:
    for kind in (type(tf.function(lambda: None)), concrete):
        owner = _owner(kind, "__call__")
        yield owner, "__call__", _calling(lazy, owner.__call__)
    keras = loaded_keras(3)
    if keras is not None:
        owner = _owner(keras.Variable, "__init__")
        yield owner, "__init__", _making(lazy, owner.__init__)


def _owner(kind: type, name: str) -> Any:
    return next(base for base in kind.__mro__ if name in base.__dict__)


def _calling(lazy: LazyVariables, original: Any) -> Any:
    @functools.wraps(original)
    def call(function: Any, *arguments: Any, **options: Any) -> Any:
        with lazy.function_called():
            return original(function, *arguments, **options)

    return call


def _making(lazy: LazyVariables, original: Any) -> Any:
    """Keras 3: a variable is told its initialiser."""

    @functools.wraps(original)
    def make(variable: Any, initializer: Any, *arguments: Any, **options: Any) -> None:
        late = lazy.late(initializer)
        original(variable, late or initializer, *arguments, **options)
        if late is not None:
            lazy.add(variable._value, late)  # noqa: SLF001  `value` would cast it

    return make


def _create(lazy: LazyVariables, next_creator: Any, **options: Any) -> Any:
    """Keras 2: the initial value is the initialiser with shape and dtype."""
    value = options.get("initial_value")
    if not isinstance(value, functools.partial) or set(value.keywords) != {"dtype"}:
        return next_creator(**options)
    late = lazy.late(value.func)
    if late is None:
        return next_creator(**options)
    options["initial_value"] = functools.partial(late, *value.args, **value.keywords)
    variable = next_creator(**options)
    lazy.add(variable, late)
    return variable


@contextmanager
def _watched_handles(lazy: LazyVariables, kind: Any) -> Iterator[None]:
    """Every read of a variable, TensorFlow's own in C++ too, asks for its `_handle` first."""

    def get(variable: Any) -> Any:
        lazy.fill(variable)
        try:
            return variable.__dict__["_handle"]
        except KeyError:
            raise AttributeError("_handle") from None

    def put(variable: Any, handle: Any) -> None:
        variable.__dict__["_handle"] = handle

    kind._handle = property(get, put)  # noqa: SLF001
    try:
        yield
    finally:
        del kind._handle  # noqa: SLF001
