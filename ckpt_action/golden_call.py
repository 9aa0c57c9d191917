"""Call what a training program records with named inputs, as an export will call it.

Mirrors `engine/rebuild/calling.py` without TensorFlow, which is not imported here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

from ckpt_action.taken_apart import taken_apart

AUTOMATIC = re.compile(r"(keras_tensor|input_layer|input|inputs)(_\d+)?$|.*_input$")
"""Names that Keras gives to inputs by itself: they count what else was built in the process."""


def call_named(fn: Callable[..., Any], inputs: Mapping[str, Any]) -> Any:
    """What `fn` returns; raises ValueError where it cannot be told how it takes `inputs`."""
    kinds = {kind.__name__ for kind in type(fn).__mro__ if _is_of_keras(kind)}
    if "Layer" not in kinds:
        return _call_function(fn, inputs)
    parameters = inspect.signature(fn.call).parameters  # type: ignore[attr-defined]
    quiet = {"training": False} if "training" in parameters and "training" not in inputs else {}
    if kinds.intersection(("Functional", "Sequential")) and getattr(fn, "inputs", None):
        return fn(_structured(fn, inputs), **quiet)
    return _call_layer(fn, inputs, quiet)


def _is_of_keras(kind: type) -> bool:
    return kind.__module__.split(".")[0] in ("keras", "tf_keras")


def _call_function(fn: Callable[..., Any], inputs: Mapping[str, Any]) -> Any:
    try:
        return fn(**inputs)
    except TypeError as error:
        if len(inputs) == 1:
            (value,) = inputs.values()
            return fn(value)
        try:
            inspect.signature(fn).bind(**inputs)
        except (TypeError, ValueError):
            raise _unclear(f"it cannot be called by these names ({error})", inputs) from error
        raise  # of what the function does


def _structured(model: Any, inputs: Mapping[str, Any]) -> Any:
    """What a functional or sequential model takes, by its own names where somebody gave it any."""
    made_of: Any = getattr(model, "input", None)  # a Sequential of Keras 3 has none
    by_key = isinstance(made_of, dict)
    names = [str(n).split(":")[0] for n in (made_of if by_key else [t.name for t in model.inputs])]
    unnamed = [not by_key and bool(AUTOMATIC.match(name)) for name in names]
    if len(names) != len(inputs) or (any(unnamed) and not all(unnamed)):
        raise _unclear(f"its inputs are {', '.join(names)}", inputs)
    if isinstance(made_of, (list, tuple)) and any(isinstance(i, (list, tuple)) for i in made_of):
        raise _unclear("its inputs are nested", inputs)
    if all(unnamed):
        values = list(inputs.values())
        _refuse_exchangeable(inputs)
    else:
        legal = {re.sub(r"\W", "_", name): name for name in names}
        given = {legal.get(name, name): value for name, value in inputs.items()}
        if given.keys() != set(names):
            word = "input" if len(inputs) == 1 else "inputs"
            raise ValueError(
                f"the model has no {word} {', '.join(map(repr, inputs))}; its inputs are "
                f"{', '.join(names)}. Use these names, or record a function that takes yours: "
                f"{_handing_on(inputs)}"
            )
        if by_key:
            return given
        values = [given[name] for name in names]
    return values if len(values) > 1 else values[0]


def _call_layer(fn: Any, inputs: Mapping[str, Any], quiet: Mapping[str, bool]) -> Any:
    """A model with a `call` of its own."""
    parameters = inspect.signature(fn.call).parameters.values()
    own = [p for p in parameters if p.name in inputs or p.name not in ("training", "mask")]
    by_name = [p.name for p in own if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if inputs.keys() <= set(by_name):
        first = by_name[0]  # Keras 2 insists on it without its name
        if first not in inputs:
            raise _unclear(f"its first input is {first}", inputs)
        rest = {name: value for name, value in inputs.items() if name != first}
        return fn(inputs[first], **rest, **quiet)
    if len(inputs) == 1:
        (value,) = inputs.values()
        return fn(value, **quiet)
    if len(by_name) != 1 or len(own) != 1:
        raise _unclear(f"it takes {', '.join(map(str, own))}", inputs)
    return _call_packed(fn, by_name[0], inputs, quiet)


def _call_packed(
    fn: Any, parameter: str, inputs: Mapping[str, Any], quiet: Mapping[str, bool]
) -> Any:
    """All inputs in one argument: a list, else a dict."""
    try:
        found = fn(list(inputs.values()), **quiet)
    except Exception:  # noqa: BLE001  anything may come out of the user's code
        try:
            return fn(dict(inputs), **quiet)
        except Exception as error:
            raise _unclear("it takes them neither as a list nor as a dict", inputs) from error
    apart = taken_apart(fn.call, parameter)
    if set(apart) != inputs.keys():
        _refuse_exchangeable(inputs)
    elif apart != tuple(inputs):
        raise ValueError(
            f"the inputs {', '.join(inputs)} are passed as a list, in this order; the model takes "
            f"it apart as {', '.join(apart)}. Give them in the order {', '.join(apart)}"
        )
    return found


def _refuse_exchangeable(inputs: Mapping[str, Any]) -> None:
    """A golden file is the proof of which input is which: it must not begin with a guess."""
    kinds = [_kind(value) for value in inputs.values()]
    if any(one == other for one, other in combinations(kinds, 2)):
        raise _unclear("it takes them as a list, and nothing tells their order", inputs)


def _kind(value: Any) -> tuple[Any, ...]:
    """What an input that could stand in its place has in common with it."""
    import numpy as np

    array = np.asarray(value)
    last = array.shape[-1:] if array.dtype.kind == "f" else ()
    return array.dtype, array.ndim, last


def _unclear(why: str, inputs: Mapping[str, Any]) -> ValueError:
    return ValueError(
        f"how the model takes the inputs {', '.join(inputs)} is not clear: {why}. Record a "
        f"function that hands them on, as the training did: {_handing_on(inputs)}"
    )


def _handing_on(inputs: Mapping[str, Any]) -> str:
    names = ", ".join(inputs)
    return f"`lambda {names}: model({names if len(inputs) == 1 else f'[{names}]'})`"
