"""A golden file: inputs and outputs recorded where the model was trained, fitted to a signature.

`in_<input>` and `out_<output>` name the arrays. An output may also be `out_<i>`, its place among
the signature's outputs counted from 0, for programs that returned a list. The file belongs to
exactly one signature: the one that has these inputs and outputs.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ckpt_action.config.located import GOLDEN_KEY
from ckpt_action.engine.arrays import Array, numpy_dtype
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Where, fail
from ckpt_action.outcome import SignatureRecord, TensorRecord


@dataclass(frozen=True, kw_only=True)
class Golden:
    """Arrays by the names of the signature that they belong to."""

    signature: str
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]


def load_golden(path: Path, signatures: Sequence[SignatureRecord]) -> Golden:
    """Read `path` for the one of `signatures` that it fits.

    Raises CkptActionError (CONFIG) with every problem: no such file, no `.npz`, names that are
    missing, unknown or unused, dtypes and shapes that the signature does not take, values that
    prove nothing.
    """
    arrays = _read(path)
    signature = _choose(path, arrays, signatures)
    if set(arrays) != set(_wanted(arrays, signature)):
        raise CkptActionError(_other_names(path, arrays, signature))
    messages = _misfits(arrays, signature) or _empty(arrays)
    problems = [_problem(path, message, _other_size(arrays, signature)) for message in messages]
    if problems:
        raise CkptActionError(*problems)
    return Golden(
        signature=signature.name,
        inputs={t.name: _plain(arrays[f"in_{t.name}"], t) for t in signature.inputs},
        outputs={
            t.name: _plain(arrays[_output_key(arrays, signature, i)], t)
            for i, t in enumerate(signature.outputs)
        },
    )


def _read(path: Path) -> dict[str, Array]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except FileNotFoundError:
        raise CkptActionError(_problem(path, "The golden file does not exist.")) from None
    except (OSError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise fail(
            ExitCode.CONFIG,
            f"The golden file cannot be read as a NumPy .npz without pickles: {error}",
            hint="Write it with `ckpt_action.record_golden`, or with numpy.savez.",
            where=Where(file=str(path), key_path=GOLDEN_KEY),
        ) from None


def _choose(
    path: Path, arrays: Mapping[str, Array], signatures: Sequence[SignatureRecord]
) -> SignatureRecord:
    """The signature with the fewest misfits; among equals a misfitting choice is refused."""
    ranked = sorted(signatures, key=lambda s: len(_misfits(arrays, s)))
    fitting = [s for s in ranked if not _misfits(arrays, s)]
    if len(fitting) > 1:
        names = ", ".join(s.name for s in fitting)
        raise fail(
            ExitCode.CONFIG,
            f"The golden file fits several signatures: {names}.",
            hint="Name its outputs `out_<output>` as only one signature names them.",
            where=Where(file=str(path), key_path=GOLDEN_KEY),
        )
    return ranked[0]


def _misfits(arrays: Mapping[str, Array], signature: SignatureRecord) -> list[str]:
    """Sentences on everything that keeps `arrays` from being golden for `signature`."""
    wanted = _wanted(arrays, signature)
    found = [f"{key} is missing, or not used" for key in set(wanted).symmetric_difference(arrays)]
    sizes: dict[str, int] = {}
    for key, tensor in wanted.items():
        if key in arrays:
            of_input = any(tensor is each for each in signature.inputs)
            found += _unlike(key, arrays[key], tensor, sizes, of_input=of_input)
    return found


def _wanted(arrays: Mapping[str, Array], signature: SignatureRecord) -> dict[str, TensorRecord]:
    """The arrays of a golden file of `signature`."""
    outputs = {_output_key(arrays, signature, i): t for i, t in enumerate(signature.outputs)}
    return {f"in_{t.name}": t for t in signature.inputs} | outputs


def _other_names(path: Path, arrays: Mapping[str, Array], signature: SignatureRecord) -> Problem:
    """One problem for one cause: most likely this is another model's file."""
    here = Path.cwd()
    shown = path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)
    takes = ", ".join(f"{t.name}: {t.dtype}{show_shape(t.shape or ())}" for t in signature.inputs)
    return _problem(
        path,
        f"{shown} holds {', '.join(arrays) or 'nothing'}; this model takes {takes} (signature "
        f"{signature.name!r}), and needs {', '.join(_wanted(arrays, signature))}.",
        "Name the golden file of this model, or record one with `ckpt_action.record_golden`.",
    )


def _other_size(arrays: Mapping[str, Array], signature: SignatureRecord) -> str:
    """The way out where an input was recorded in another size than the declared one."""
    for tensor in signature.inputs:
        have, want = arrays[f"in_{tensor.name}"].shape, tensor.shape
        if want is None or len(have) != len(want):
            continue
        if any(isinstance(w, int) and h != w for h, w in zip(have, want, strict=True)):
            fits = [h if isinstance(w, int) else w for h, w in zip(have, want, strict=True)]
            return (
                f"Record an input of that shape, or declare what was recorded: {show_shape(fits)}."
            )
    return ""


def _empty(arrays: Mapping[str, Array]) -> list[str]:
    """Sentences on arrays that any model would agree with, or that hold no input."""
    found = [
        f"The golden file's {key!r} is empty (shape {list(array.shape)}), so it proves nothing."
        for key, array in arrays.items()
        if not array.size
    ]
    return found + [
        f"The golden file's {key!r} holds NaN and infinite values only, so it proves nothing."
        for key, array in arrays.items()
        if key.startswith("out_") and array.size and array.dtype.kind in "fc"
        if not np.isfinite(array).any()
    ]


def _unlike(
    key: str, array: Array, tensor: TensorRecord, sizes: dict[str, int], *, of_input: bool
) -> list[str]:
    """An output's shape is the model's to answer for: the comparison says what is wrong with it."""
    found = []
    name = "string" if array.dtype.kind in "SUO" else array.dtype.name
    # numpy writes bfloat16 and its relatives as void of the same width.
    void = array.dtype.kind == "V" and array.dtype.itemsize == numpy_dtype(tensor.dtype).itemsize
    if name != tensor.dtype and not void:
        found.append(f"The golden file's {key!r} has dtype {name}, expected {tensor.dtype}.")
    if not of_input or tensor.shape is None:
        return found
    fits = len(array.shape) == len(tensor.shape) and all(
        have == (sizes.setdefault(want, have) if isinstance(want, str) else want)
        for have, want in zip(array.shape, tensor.shape, strict=True)
        if want is not None
    )
    if not fits:
        found.append(
            f"The golden file's {key!r} has shape {list(array.shape)}, "
            f"expected {show_shape(tensor.shape)}."
        )
    return found


def show_shape(shape: Sequence[int | str | None]) -> str:
    """`[batch, 28, ?]`: sizes, names of free dimensions, `?` for one without a name."""
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"


def _output_key(arrays: Mapping[str, Array], signature: SignatureRecord, index: int) -> str:
    named = f"out_{signature.outputs[index].name}"
    by_place = f"out_{index}"
    return by_place if named not in arrays and by_place in arrays else named


def _plain(array: Array, tensor: TensorRecord) -> Array:
    if array.dtype.kind == "V":
        return array.view(numpy_dtype(tensor.dtype))
    if array.dtype.kind in "SU":
        items: Array = array.astype(object).reshape(-1)
        items[:] = [item.encode() if isinstance(item, str) else item for item in items]
        shaped: Array = items.reshape(array.shape)
        return shaped
    return array


def _problem(path: Path, message: str, hint: str = "") -> Problem:
    return Problem(
        code=ExitCode.CONFIG,
        message=message,
        where=Where(file=str(path), key_path=GOLDEN_KEY),
        hint=hint or "See `models.<name>.verify.golden`: arrays `in_<input>` and `out_<output>`.",
    )
