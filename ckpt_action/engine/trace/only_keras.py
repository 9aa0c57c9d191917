"""Whether all code that runs when a model is called is that of Keras and TensorFlow."""

from __future__ import annotations

import functools
import os
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

from ckpt_action.engine.objects import Held, is_closed

FRAMEWORKS = frozenset({"keras", "tf_keras", "tensorflow"})
_NO_CODE = frozenset({"collections", "inspect", "typing", "_thread", "weakref"})
"""Of Python's own modules: what frameworks keep of them holds data, or other objects."""
_DATA = frozenset(
    {
        tuple,
        list,
        dict,
        set,
        frozenset,
        range,
        slice,
        types.MappingProxyType,
        types.FunctionType,
        types.MethodType,
        types.CodeType,
        np.ndarray,
    }
)
_NOT_PYTHON = (type(None), types.MethodWrapperType)
"""What a class has for `call` that has none."""


def only_keras(held: Held) -> bool:
    """Whether no object among what the model holds has code of anybody else's.

    Such a model counts no calls and draws no numbers where it is called: a Lambda, an activation, a
    class of one's own, a method that was put in the place of a layer's or a class's are seen here.
    """
    kinds: set[Any] = {type(item) for _, item in held}
    functions = (item for _, item in held if isinstance(item, types.FunctionType))
    return all(map(_is_theirs, functions)) and all(map(_runs_their_code, kinds))


def _is_theirs(called: Any) -> bool:
    function = getattr(called, "__func__", called)
    return isinstance(function, types.FunctionType) and function.__code__.co_filename.startswith(
        _folders()
    )


def _runs_their_code(kind: Any) -> bool:
    package = kind.__module__.partition(".")[0]
    if package not in FRAMEWORKS:
        return kind in _DATA or package in _NO_CODE
    called = [getattr(kind, name, None) for name in ("__call__", "call")]
    called = [one for one in called if not isinstance(one, _NOT_PYTHON)]
    if called and is_closed(kind):
        return False  # `tf.custom_gradient` and its like hold somebody's function, unseen
    return all(map(_is_theirs, called))


@functools.cache
def _folders() -> tuple[str, ...]:
    loaded = [sys.modules[name] for name in sorted(FRAMEWORKS & sys.modules.keys())]
    return tuple(f"{Path(str(module.__file__)).parent}{os.sep}" for module in loaded)
