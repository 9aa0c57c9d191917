"""What the constants of a file hold of the model's variables, known by their bytes.

Formats lay kernels out anew, with their axes in another order; they fold normalisation into kernels
and quantise, which leaves no value as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from ckpt_action.engine.arrays import Array, flat_digest, layouts, shared_array, to_array
from ckpt_action.engine.records import ModelVariable

_Kind = tuple[str, int, int]
"""What arrays have in common that may be one another's in another layout: cheap to compute."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """See the fields of `Written`."""

    payloads: dict[str, str]
    rearranged: dict[str, str]
    transformed: tuple[str, ...]


def held_values(
    variables: Iterable[ModelVariable],
    constants: Iterable[tuple[str, Array]],
    *,
    half: bool = False,
) -> Held:
    """`constants`: (place, value) of everything that the file stores. `half`: a float32 may be
    stored as float16."""
    places: dict[_Kind, dict[str, list[str]]] = {}
    for place, value in constants:
        places.setdefault(_kind(value), {}).setdefault(flat_digest(value), []).append(place)
    holders: dict[tuple[_Kind, str], list[str]] = {}
    transformed = []
    for variable in variables:
        known = next(
            (
                (kind, found)
                for form in _forms(to_array(variable.variable), half=half)
                for kind in [_kind(form)]
                for found in (layouts(form) if kind in places else ())
                if len(holders.get((kind, found), ())) < len(places[kind].get(found, ()))
            ),
            None,
        )
        if known is None:
            transformed.append(variable.path)
        else:
            holders.setdefault(known, []).append(variable.path)
    return Held(
        # A value that is stored more often than there are variables: each has to be right.
        payloads={
            place: paths[min(number, len(paths) - 1)]
            for (kind, found), paths in holders.items()
            for number, place in enumerate(places[kind][found])
        },
        rearranged={path: found for (_, found), paths in holders.items() for path in paths},
        transformed=tuple(transformed),
    )


def path_finder(variables: Iterable[ModelVariable]) -> Callable[[Array], str | None]:
    """Tells the path of the variable that an array is, its axes in any order."""
    known: dict[_Kind, list[tuple[str, Array]]] = {}
    for variable in variables:
        value = shared_array(tf.convert_to_tensor(variable.variable))
        known.setdefault(_kind(value), []).insert(0, (variable.path, value))

    def path(array: Array) -> str | None:
        alike = known.get(_kind(array), ())
        stored = flat_digest(array) if alike else ""
        return next((path for path, value in alike if stored in layouts(value)), None)

    return path


def _kind(array: Array) -> _Kind:
    if array.dtype.hasobject:
        return array.dtype.name, array.size, 0
    bits = np.ascontiguousarray(array).reshape(-1).view(f"u{min(array.dtype.itemsize, 8)}")
    return array.dtype.name, array.size, int(bits.sum(dtype=np.uint64))


def _forms(value: Array, *, half: bool) -> Iterator[Array]:
    """`value` as it may be stored, beside the order of its axes."""
    yield value
    if value.ndim and value.shape[-1] % 4 == 0:
        yield _as_onnx_gates(value)
    if half and value.dtype == np.float32:
        with np.errstate(over="ignore"):
            yield value.astype(np.float16)


def _as_onnx_gates(value: Array) -> Array:
    """Of an LSTM: input, forget, cell and output gate of Keras as input, output, forget, cell."""
    gates = value.reshape(*value.shape[:-1], 4, -1)
    ordered: Array = gates[..., (0, 3, 1, 2), :].reshape(value.shape)
    return ordered
