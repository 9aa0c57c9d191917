"""Inputs that are passed in one argument, a list or a dict: which is which, and what tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

from ckpt_action.config.records import InputSpec, Signature
from ckpt_action.engine.keras_versions import keras_family
from ckpt_action.engine.rebuild.renamed import moved, refuse_swapped, related
from ckpt_action.engine.rebuild.styles import Style
from ckpt_action.errors import ExitCode, Problem, fail, note, warning
from ckpt_action.taken_apart import taken_apart


@dataclass(frozen=True, kw_only=True)
class Packed:
    kind: Literal["list", "dict"]
    parameter: str = ""
    """Of the method; empty where the model was made of inputs without names."""
    apart: tuple[str, ...] = ()
    """The names of `first, second = parameter` in the method's code."""


def packed(style: Style, taken: Sequence[Any], own: Sequence[str], target: Any) -> Packed | None:
    """How `style` passes several inputs in the first parameter of `own`, if it does."""
    method = target.call if keras_family(target) is not None else target
    several = [p.name for p in taken if p.kind is p.VAR_POSITIONAL]
    if style == "positional" and own[:1] == several[:1] != []:
        return Packed(kind="list", parameter=own[0], apart=taken_apart(method, own[0]))
    if style not in ("list", "dict"):
        return None
    parameter = own[0] if own else ""
    apart = taken_apart(method, parameter) if style == "list" else ()
    return Packed(kind=style, parameter=parameter, apart=apart)


def packed_notes(signature: Signature, how: Packed | None, *, golden: bool) -> tuple[Problem, ...]:
    """What is passed as what; a warning where two inputs could be swapped unseen.

    Raises CkptActionError (SIGNATURE) where the code takes a list apart in another order.
    """
    names = [spec.name for spec in signature.inputs]
    if how is None or len(names) < 2:
        return ()
    to = f"`{how.parameter}`" if how.parameter else "the model"
    said = f"signature {signature.name}: {', '.join(names)} are passed to {to} as a {how.kind}"
    if how.kind == "dict":
        return (note(ExitCode.SIGNATURE, f"{said} with these keys."),)
    said += ", in this order"
    apart = how.apart if len(how.apart) == len(names) else ()
    if apart and moved(signature, apart):
        raise fail(
            ExitCode.SIGNATURE,
            f"{said}; the code takes it apart as {', '.join(apart)}.",
            hint=f"Declare the inputs in the order {', '.join(apart)}.",
        )
    if not set(names).intersection(apart):
        refuse_swapped(signature, apart)
    if apart and apart != tuple(names):
        said += f"; the code takes it apart as {', '.join(apart)}"
    told = bool(apart) and all(map(related, names, apart))
    if golden or told or not _exchangeable(signature.inputs):
        hint = "" if told else "If the model takes them in another order, declare them in it."
        return (note(ExitCode.SIGNATURE, f"{said}.", hint=hint),)
    return (
        warning(
            ExitCode.SIGNATURE,
            f"{said}. They have equal shapes and dtypes, and nothing tells that this is the "
            "model's order.",
            hint="Record a golden file, or give the model a method with one parameter per input "
            "and name it as `method`.",
        ),
    )


def _exchangeable(inputs: Sequence[InputSpec]) -> bool:
    """Whether the model may take two of `inputs` in each other's place."""
    return any(
        one.dtype == other.dtype
        and len(one.shape) == len(other.shape)
        and all(
            a == b or isinstance(a, str) or isinstance(b, str)
            for a, b in zip(one.shape, other.shape, strict=True)
        )
        for one, other in combinations(inputs, 2)
    )
