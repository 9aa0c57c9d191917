"""What the constants of a file hold of the model's variables, known by their values.

Formats lay kernels out anew, which changes bytes and keeps values; they fold normalisation into
kernels and quantise, which leaves no value as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ckpt_action.engine.arrays import Array, content_digest
from ckpt_action.engine.prove.live import to_array
from ckpt_action.engine.records import ModelVariable


@dataclass(frozen=True, kw_only=True)
class Held:
    """See the fields of `Written`."""

    payloads: dict[str, str]
    rearranged: dict[str, str]
    transformed: tuple[str, ...]


def held_values(
    variables: Iterable[ModelVariable], constants: Iterable[tuple[str, str]], *, half: bool = False
) -> Held:
    """`constants`: (place, `content_digest`) of everything that the file stores. `half`: a float32
    may be stored as float16."""
    places: dict[str, list[str]] = {}
    for place, found in constants:
        places.setdefault(found, []).append(place)
    holders: dict[str, list[str]] = {}
    transformed = []
    for variable in variables:
        forms = _forms(to_array(variable.variable), half=half)
        known = next((d for d in forms if len(holders.get(d, ())) < len(places.get(d, ()))), None)
        if known is None:
            transformed.append(variable.path)
        else:
            holders.setdefault(known, []).append(variable.path)
    return Held(
        # A value that is stored more often than there are variables: each has to be right.
        payloads={
            place: paths[min(number, len(paths) - 1)]
            for known, paths in holders.items()
            for number, place in enumerate(places[known])
        },
        rearranged={path: known for known, paths in holders.items() for path in paths},
        transformed=tuple(transformed),
    )


def _forms(value: Array, *, half: bool) -> Iterator[str]:
    yield content_digest(value)
    if half and value.dtype == np.float32:
        with np.errstate(over="ignore"):
            yield content_digest(value.astype(np.float16))
