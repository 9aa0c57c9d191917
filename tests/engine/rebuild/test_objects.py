"""Variables are found wherever a Python object can keep them."""

from __future__ import annotations

import functools
from collections import OrderedDict
from types import MappingProxyType

import pytest
import tensorflow as tf
import wrapt
from cases import rebuilt, signature

from ckpt_action.engine.objects import reachable_variables, variables_among


class Tracked(tf.Module):
    """Its dicts, lists and tuples become TensorFlow's wrappers of them."""

    def __init__(self, held: object) -> None:
        super().__init__()
        self.held = held


class Plain:
    def __init__(self, held: object) -> None:
        self.held = held

    def method(self) -> None: ...


class Slots:
    __slots__ = ("held",)

    def __init__(self, held: object) -> None:
        self.held = held


def enclosed(held: object) -> object:
    return lambda: held


HOLDERS = {
    "module": Tracked,
    "object": Plain,
    "slots": Slots,
    "method": lambda held: Plain(held).method,
    "closure": enclosed,
    "partial": lambda held: functools.partial(print, held),
    "function": lambda held: tf.function(enclosed(held)),
}
CONTAINERS = {
    "bare": lambda variable: variable,
    "list": lambda variable: [variable],
    "tuple": lambda variable: (0, variable),
    "dict": lambda variable: {"a": {"b": variable}},
    "ordered": lambda variable: OrderedDict(a=variable),
    "mapping": lambda variable: MappingProxyType({"a": variable}),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("holder", HOLDERS)
def test_a_variable_is_found(holder, container):
    variable = tf.Variable(1.0)
    held = HOLDERS[holder](CONTAINERS[container](variable))
    [(path, found)] = reachable_variables(held)
    assert found is variable
    assert path


def test_a_wrapper_is_what_it_wraps():
    variable = tf.Variable(1.0)
    assert reachable_variables(Plain(wrapt.ObjectProxy([]))) == ()
    [(_, found)] = reachable_variables(Plain(wrapt.ObjectProxy(variable)))
    assert found.handle is variable.handle


def test_each_variable_comes_once_by_its_nearest_path():
    variable = tf.Variable(1.0)
    [(path, _)] = reachable_variables(Plain([{"far": variable}, variable]))
    assert path == "held/1"


def test_what_a_rebuilt_model_holds_is_listed_after_its_first_call():
    found = rebuilt("models:Subclassed", signature(x=("float32", "batch", 8)))
    paths = [path for path, _ in variables_among(found.held)]
    assert paths == [path for path, _ in reachable_variables(found.model)] != []
