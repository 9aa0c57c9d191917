"""A declared shape that gives a kernel another size than the checkpoint's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ckpt_action.config.records import InputSpec, Signature
from ckpt_action.engine.restore.mismatch.align import Row, leaf

_IN = -2  # Dense: (in, out); convolutions: (..., in, out)


@dataclass(frozen=True, kw_only=True)
class OtherSize:
    """An input of a signature whose size is that of the model's kernel, and not of the stored."""

    key: str
    """`signatures.serving_default.inputs.x.shape`."""
    spec: InputSpec
    live: int
    stored: int


def other_size(rows: Iterable[Row], signatures: Sequence[Signature]) -> OtherSize | None:
    """The first declared input that a kernel of another input size can come from."""
    for live, stored in _kernels(rows):
        for signature in signatures:
            for spec in signature.inputs:
                if live in _sizes(spec):
                    key = f"signatures.{signature.name}.inputs.{spec.name}.shape"
                    return OtherSize(key=key, spec=spec, live=live, stored=stored)
    return None


def _kernels(rows: Iterable[Row]) -> Iterator[tuple[int, int]]:
    """Input size in the model and in the checkpoint, where nothing else differs."""
    for row in rows:
        if row.live is None or row.value is None or leaf(row.live.place) != "kernel":
            continue
        live, stored = list(row.live.shape), list(row.value.shape)
        if len(live) == len(stored) >= -_IN and live[_IN] != stored[_IN]:
            one, other = live.pop(_IN), stored.pop(_IN)
            if live == stored:
                yield one, other


def _sizes(spec: InputSpec) -> set[int]:
    """Sizes that a layer on it may have: the last dimension, or all of them when flattened."""
    fixed = [d for d in spec.shape[1:] if isinstance(d, int)]
    last = {d for d in spec.shape[-1:] if isinstance(d, int)}
    return last | ({math.prod(fixed)} if len(fixed) == len(spec.shape) - 1 else set())
