"""Code written for TensorFlow 1 that leaves variables without values, named with its place."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import tensorflow as tf

from ckpt_action.engine.objects import Held, variables_among
from ckpt_action.engine.user_code import loaded_sources
from ckpt_action.errors import CkptActionError, ExitCode, Where, fail

_SWITCHES = frozenset({"disable_eager_execution", "disable_v2_behavior"})
_GRAPHS = frozenset({"as_default"})


def check_eager(roots: Sequence[Path]) -> None:
    """Raise CkptActionError (REBUILD) where the user's code has turned eager execution off."""
    if not tf.executing_eagerly():
        raise _refusal(
            "the code turned eager execution off, or left a graph open: its variables have no "
            "values that could be restored.",
            hint="Take `tf.compat.v1.disable_eager_execution()` and `disable_v2_behavior()` out of "
            "what the entry point runs; Keras models and tf.Module do not need them. For a graph "
            "of TensorFlow 1 leave `entry-point` out and commit the `.meta` beside the checkpoint.",
            places=_calls(roots, _SWITCHES) + _calls(roots, _GRAPHS),
        )


def check_variables(held: Held, roots: Sequence[Path]) -> None:
    """Raise CkptActionError (REBUILD) where variables among what a model holds are a graph's."""
    check_eager(roots)
    symbolic = [path for path, v in variables_among(held) if tf.is_symbolic_tensor(v.handle)]
    if symbolic:
        raise _refusal(
            f"the model was made inside of a `tf.Graph`, so {len(symbolic)} of its variables have "
            f"no values that could be restored ({', '.join(symbolic[:3])}).",
            hint="Make it outside of `with tf.Graph().as_default():`, and without "
            "`tf.compat.v1.Session`.",
            places=_calls(roots, _GRAPHS),
        )


def _refusal(message: str, *, hint: str, places: list[Where]) -> CkptActionError:
    return fail(
        ExitCode.REBUILD,
        message,
        hint=hint,
        where=places[0] if places else None,
        details=[str(place) for place in places],
    )


def _calls(roots: Sequence[Path], names: frozenset[str]) -> list[Where]:
    """Where the loaded sources of the user call a function of one of `names`."""
    return [place for file in loaded_sources(roots) for place in _calls_in(file, names)]


def _calls_in(file: Path, names: frozenset[str]) -> Iterator[Where]:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in names:
                yield Where(file=str(file), line=node.lineno, column=node.col_offset + 1)
