"""Inputs that are declared under other names than the model's: their places tell which is which."""

from __future__ import annotations

from collections.abc import Sequence

from ckpt_action.config.records import Signature
from ckpt_action.errors import CkptActionError, ExitCode, Problem, fail, note

_HINT = "Declare all inputs under the names of the parameters."


def in_places(names: Sequence[str], own: Sequence[str]) -> tuple[str, ...]:
    """The model's names for `names`; none where it has too few, or only one is passed."""
    found = tuple(own[: len(names)])
    return found if len(names) > 1 and len(found) == len(names) and all(found) else ()


def refuse_other_order(signature: Signature, own: Sequence[str]) -> None:
    """Raises CkptActionError (SIGNATURE) where the names say another order than the one in which
    inputs would be passed: some are the model's own of other places, or short for them."""
    if moved(signature, own):
        raise _other_order(signature, own, "so the order does not tell which is which")
    names = [spec.name for spec in signature.inputs]
    if not set(names).intersection(own):
        refuse_swapped(signature, own)


def moved(signature: Signature, own: Sequence[str]) -> bool:
    """Whether an input has the name of another place of `own`."""
    names = [spec.name for spec in signature.inputs]
    return any(n in own and own.index(n) != place for place, n in enumerate(names))


def refuse_swapped(signature: Signature, own: Sequence[str]) -> None:
    """As `refuse_other_order`, of names none of which is the model's own."""
    names = [spec.name for spec in signature.inputs]
    for place, name in enumerate(names):
        if place < len(own) and related(name, own[place]):
            continue
        for other, parameter in enumerate(own):
            taken = other < len(names) and related(names[other], parameter)
            if other != place and _names(name, parameter) and not taken:
                why = f"and {name}, which looks like {parameter}, would be passed in another place"
                raise _other_order(signature, own, why)


def renamed_note(signature: Signature, taken_as: Sequence[str]) -> tuple[Problem, ...]:
    """Nothing where `taken_as` is empty, or is what is declared."""
    names = [spec.name for spec in signature.inputs]
    if not taken_as or set(names).intersection(taken_as):
        return ()
    return (
        note(
            ExitCode.SIGNATURE,
            f"signature {signature.name}: {', '.join(names)} are passed in this order as "
            f"{', '.join(taken_as)}.",
            hint="If that is another order than it should be, declare them under these names.",
        ),
    )


def related(name: str, parameter: str) -> bool:
    return name.lower() in parameter.lower() or _names(name, parameter)


def _names(name: str, parameter: str) -> bool:
    """Whether it is short for the parameter, or holds it, as `document_vec` does `document`."""
    held = len(parameter) > 1 and parameter.lower() in name.lower()
    return held or _is_short_for(name, parameter)


def _is_short_for(name: str, parameter: str) -> bool:
    """Its beginning, or its first letter and others of it in their order: `q`, `qry` of `query`."""
    short, long = name.lower(), parameter.lower()
    letters = iter(long)
    return len(short) < len(long) and short[0] == long[0] and all(c in letters for c in short)


def _other_order(signature: Signature, own: Sequence[str], why: str) -> CkptActionError:
    names = ", ".join(spec.name for spec in signature.inputs)
    return fail(
        ExitCode.SIGNATURE,
        f"signature {signature.name} declares the inputs {names}; `{signature.method}` takes "
        f"{', '.join(own)}, {why}.",
        hint=_HINT,
    )
