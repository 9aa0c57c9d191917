"""The user's representative data: what int8 ranges are measured on. Runs the user's code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ckpt_action.engine.arrays import Array, numpy_dtype
from ckpt_action.engine.rebuild.user_modules import exited, import_module
from ckpt_action.engine.records import TracedModel
from ckpt_action.engine.tflite.convert import Sample
from ckpt_action.engine.user_code import describe_error
from ckpt_action.errors import CkptActionError, ExitCode, fail
from ckpt_action.outcome import SignatureRecord, TensorRecord

_MOST = 1000
"""Samples that are taken at most; the ranges have settled long before."""
_FORM = (
    "It has to give one `{input: array}` after the other, each with the shapes of one call, or "
    "`(signature, {input: array})` where the model has several signatures."
)


def representative_samples(name: str, model: TracedModel) -> tuple[Sample, ...]:
    """What the callable `name` (`module:attribute`) gives; CkptActionError (TARGET) where it fits
    no signature."""
    given = [_sample(name, number, item, model) for number, item in enumerate(_call(name))]
    missing = {s.declared.name for s in model.signatures} - {signature for signature, _ in given}
    if missing:
        raise _wrong(name, f"gives no sample for signature {min(missing)!r}")
    return tuple(given)


def _call(name: str) -> list[Any]:
    """At most `_MOST` items of what the user's callable returns."""
    module, _, attribute = name.partition(":")
    roots = (Path.cwd(),)
    found: Any = import_module(module, roots)
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise _wrong(name, f"does not exist: {module} has no {attribute!r}")
        found = getattr(found, part)
    if not callable(found):
        raise _wrong(name, f"is a {type(found).__name__}, not a function")
    try:
        items = found()
        return list(islice(items, _MOST)) if isinstance(items, Iterable) else [items]
    except CkptActionError:
        raise
    except SystemExit as error:
        raise exited(f"representative data {name}", error, roots) from error
    except Exception as error:
        text, where, details = describe_error(error, roots)
        raise fail(
            ExitCode.TARGET,
            f"The representative data {name} raised {text}",
            hint="It has to give samples on the machine that exports.",
            where=where,
            details=details,
        ) from error


def _sample(name: str, number: int, item: Any, model: TracedModel) -> Sample:
    records = {s.declared.name: s.record for s in model.signatures}
    signature = next(iter(records))
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str):
        signature, item = item
    elif len(records) > 1:
        raise _wrong(name, f"does not say which signature sample {number} is for")
    if signature not in records:
        raise _wrong(name, f"names the unknown signature {signature!r} in sample {number}")
    if not isinstance(item, Mapping):
        raise _wrong(name, f"gives a {type(item).__name__} as sample {number}")
    return signature, _inputs(name, number, item, records[signature])


def _inputs(
    name: str, number: int, item: Mapping[Any, Any], record: SignatureRecord
) -> dict[str, Array]:
    if set(item) != {t.name for t in record.inputs}:
        raise _wrong(
            name,
            f"gives inputs {sorted(map(str, item))} in sample {number}, where the signature has "
            f"{sorted(t.name for t in record.inputs)}",
        )
    arrays = {t.name: np.asarray(item[t.name]) for t in record.inputs}
    for tensor in record.inputs:
        array = arrays[tensor.name]
        if array.dtype != numpy_dtype(tensor.dtype) or not _has_shape(array, tensor):
            raise _wrong(
                name,
                f"gives {tensor.name!r} of sample {number} as {array.dtype} of shape "
                f"{list(array.shape)}, where the signature has {tensor.dtype} of shape "
                f"[{', '.join(str(size or '?') for size in tensor.shape or ())}]",
            )
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise _wrong(name, f"gives NaN or infinity in {tensor.name!r} of sample {number}")
    return arrays


def _has_shape(array: Array, tensor: TensorRecord) -> bool:
    sizes = tensor.shape
    return sizes is None or (
        len(sizes) == array.ndim
        and all(not isinstance(s, int) or s == a for s, a in zip(sizes, array.shape, strict=True))
    )


def _wrong(name: str, what: str) -> CkptActionError:
    return fail(ExitCode.TARGET, f"The representative data {name} {what}.", hint=_FORM)
