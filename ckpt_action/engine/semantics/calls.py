"""Calls of `hard_sigmoid` while a model is traced: as an activation, in a Lambda, out of a dict."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ckpt_action.engine import internals
from ckpt_action.engine.keras_versions import keras_family, loaded_keras
from ckpt_action.engine.user_code import is_users
from ckpt_action.errors import Where


@dataclass(frozen=True, kw_only=True)
class Call:
    generation: str
    """Of the Keras whose function was called."""
    layer: str
    """Name of the innermost layer that was being called; empty outside of layers."""
    of_layer: bool
    """The layer has the function as an attribute: it is its activation."""
    where: Where | None
    """In the user's code."""


@contextmanager
def hard_sigmoid_calls(roots: Sequence[Path]) -> Iterator[list[Call]]:
    """Every call inside. All ways to the function lead through one place in each Keras."""
    calls: list[Call] = []
    with ExitStack() as stack:
        for generation in (3, 2):
            keras = loaded_keras(generation)
            module = keras and internals.hard_sigmoid_module(keras)
            if module:
                original = module.hard_sigmoid
                watched = _watched(original, str(generation), keras, roots, calls)
                module.hard_sigmoid = watched
                stack.callback(setattr, module, "hard_sigmoid", original)
        yield calls


def _watched(
    original: Callable[..., Any],
    generation: str,
    keras: Any,
    roots: Sequence[Path],
    calls: list[Call],
) -> Callable[..., Any]:
    @functools.wraps(original)
    def hard_sigmoid(*arguments: Any, **options: Any) -> Any:
        result = original(*arguments, **options)
        callers = inspect.stack(0)[1:]
        if callers[0].function != "hard_silu":  # which Keras 2 does not have
            layer = next(
                filter(keras_family, (c.frame.f_locals.get("self") for c in callers)), None
            )
            held = vars(layer).values() if layer is not None else ()
            calls.append(
                Call(
                    generation=generation,
                    layer=layer.name if layer is not None else "",
                    of_layer=any(value is keras.activations.hard_sigmoid for value in held),
                    where=place_of(result, roots),
                )
            )
        return result

    return hard_sigmoid


def place_of(result: Any, roots: Sequence[Path]) -> Where | None:
    """Where the user's code made `result`, by what TensorFlow notes of each operation: it knows the
    lines that AutoGraph rewrote."""
    operation = getattr(result, "op", None)
    for frame in reversed(getattr(operation, "traceback", None) or ()):
        if is_users(Path(frame.filename), roots):
            return Where(file=frame.filename, line=frame.lineno)
    return None
