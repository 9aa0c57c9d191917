"""Seeded inputs for signatures that have no golden file.

Nobody knows which inputs a model takes: an embedding refuses indices beyond its vocabulary, a
stack of poolings refuses small images, a logarithm turns negative numbers into NaN. So drawing is
a search: the same sizes and values are tried in a fixed order of `Recipe`s until the live model
takes them all, preferring one whose outputs are finite.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ckpt_action.engine.arrays import Array, numpy_dtype
from ckpt_action.errors import Severity
from ckpt_action.outcome import SignatureRecord, TensorRecord


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One call of one signature: what goes in and what has to come out."""

    signature: str
    label: str
    """`golden`, or `sample 0 (batch=2)`."""
    inputs: Mapping[str, Array]
    reference: Mapping[str, Array] = field(default_factory=dict)
    """Outputs of the live restored model."""
    golden: Mapping[str, Array] | None = None
    edge: Severity | None = None
    """Of a difference there, where the inputs are no ordinary ones (see `edges`)."""
    cut: bool = False
    """Part of another probe, for its sizes alone (see `cuts`): its values may tell little."""
    beside: bool = False
    """Seeded although a golden file says which inputs are real: what rounds on purpose is not asked
    there, all else is."""
    scaled: str = ""
    """Which columns were made larger, and how much (see `scaled`); empty where none was."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to draw: one step of the search."""

    sizes: tuple[int, ...]
    """Of free dimensions other than the first one, one per sample in turn."""
    spread: bool
    """Different names get different sizes in the same sample."""
    top: int
    """Integers are drawn from 0 to top - 1, or to the largest value of a narrower type."""
    positive: bool
    """Floats are drawn from [0, 1) instead of the standard normal distribution."""


_BATCHES = (2, 1, 1)
_SIZES = ((5, 3, 8), (16, 12, 24), (32, 64, 96), (128, 160, 192), (224, 256, 320))
_TOPS = (256, 32, 8, 2)
_WORDS = (b"", b"a", b"the quick brown fox", b"42", b"\xc3\xa9t\xc3\xa9", b"x" * 100)


def recipes(signature: SignatureRecord) -> Iterator[Recipe]:
    """The search for `signature`, most telling first; steps that change nothing are left out."""
    dtypes = [numpy_dtype(t.dtype) for t in signature.inputs]
    integers = any(d.kind in "iu" for d in dtypes)
    floats = any(d.kind not in "iubO" for d in dtypes)
    names = {
        size for t in signature.inputs for size in (t.shape or ())[1:] if not isinstance(size, int)
    }
    steps = itertools.product(
        _SIZES if names else _SIZES[:1],
        (True, False) if len(names) > 1 else (False,),
        _TOPS if integers else _TOPS[:1],
        (False, True) if floats else (False,),
    )
    for sizes, spread, top, positive in steps:
        yield Recipe(sizes=sizes, spread=spread, top=top, positive=positive)


def draw(
    signature: SignatureRecord,
    recipe: Recipe,
    *,
    samples: int,
    seed: int,
    words: Sequence[bytes] = (),
) -> tuple[Probe, ...]:
    """`samples` probes without outputs; equal arguments give equal bytes.

    `words` are what the model knows; half of the text is taken from them.

    A dimension that has the same name in several inputs has one size in all of them; one without
    a name is its own. Sizes differ from sample to sample.
    """
    return tuple(_draw_one(signature, recipe, sample, seed, words) for sample in range(samples))


def of_another_size(signature: SignatureRecord, probe: Probe) -> Probe | None:
    """`probe` with another number of rows, some of them twice or left out, and without outputs;
    None where the inputs have no free first dimension in common."""
    shapes = [t.shape or (None,) for t in signature.inputs]
    name = shapes[0][0] if shapes else None
    if not isinstance(name, str) or any(s[0] != name or name in s[1:] for s in shapes):
        return None
    rows = 3 if len(next(iter(probe.inputs.values()))) != 3 else 2
    return Probe(
        signature=probe.signature,
        label=f"{probe.label} ({name}={rows})",
        inputs={key: np.resize(a, (rows, *a.shape[1:])) for key, a in probe.inputs.items()},
    )


def _draw_one(
    signature: SignatureRecord, recipe: Recipe, sample: int, seed: int, words: Sequence[bytes]
) -> Probe:
    generator = np.random.default_rng([seed, sample])
    sizes = _free_sizes(signature, recipe, sample)
    inputs = {}
    for tensor in signature.inputs:
        shape = tuple(
            size if isinstance(size, int) else sizes[dimension(tensor, axis)]
            for axis, size in enumerate(tensor.shape or ())
        )
        inputs[tensor.name] = _values(generator, tensor.dtype, shape, recipe, words)
    shown = ", ".join(f"{name}={size}" for name, size in sizes.items())
    label = f"sample {sample} ({shown})" if shown else f"sample {sample}"
    return Probe(signature=signature.name, label=label, inputs=inputs)


def _free_sizes(signature: SignatureRecord, recipe: Recipe, sample: int) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for tensor in signature.inputs:
        for axis, size in enumerate(tensor.shape or ()):
            name = dimension(tensor, axis)
            if isinstance(size, int) or name in sizes:
                continue
            choices: Sequence[int] = _BATCHES if axis == 0 else recipe.sizes
            shift = len(sizes) if recipe.spread and axis else 0
            sizes[name] = choices[(sample + shift) % len(choices)]
    return sizes


def dimension(tensor: TensorRecord, axis: int) -> str:
    name = (tensor.shape or ())[axis]
    return name if isinstance(name, str) else f"{tensor.name}[{axis}]"


def _values(
    generator: np.random.Generator,
    dtype: str,
    shape: tuple[int, ...],
    recipe: Recipe,
    words: Sequence[bytes],
) -> Array:
    kind = numpy_dtype(dtype)
    if kind.kind == "O":
        text = _chosen(generator, _WORDS, shape)
        if not words:
            return text
        known = generator.integers(2, size=shape) == 1
        return np.where(known, _chosen(generator, words, shape), text)
    if kind.kind == "b":
        return generator.integers(2, size=shape).astype(bool)
    if kind.kind in "iu":
        top = min(recipe.top, np.iinfo(kind).max + 1)
        return generator.integers(top, size=shape).astype(kind)
    values = generator.random(shape) if recipe.positive else generator.standard_normal(shape)
    if kind.kind == "c":
        values = values + 1j * generator.random(shape)
    return np.asarray(values, dtype=kind)


def _chosen(
    generator: np.random.Generator, words: Sequence[bytes], shape: tuple[int, ...]
) -> Array:
    chosen: Array = np.empty(shape, dtype=object)
    chosen[...] = np.array(words, dtype=object)[generator.integers(len(words), size=shape)]
    return chosen
