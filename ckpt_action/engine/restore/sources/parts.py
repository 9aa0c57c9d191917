"""Values of which each variable takes a part, offered by the names of the parts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np

from ckpt_action.checkpoint.records import ObjectGraph, Role
from ckpt_action.engine.arrays import Array
from ckpt_action.engine.metagraph.parts import Part
from ckpt_action.engine.restore.records import Source, Value
from ckpt_action.engine.restore.sources.loading import OneByOne


class PartsSource(OneByOne):
    """`source`, in which a value whose parts cover it is replaced by its parts."""

    def __init__(self, source: Source, parts: Mapping[str, Part]) -> None:
        self._source = source
        self.graph: ObjectGraph | None = source.graph
        self.optimizers: frozenset[int] = source.optimizers
        self.set_aside: Mapping[Role, int] = source.set_aside
        wholes = {part.whole for part in parts.values()}
        split = {whole for whole in wholes if _covers(source, whole, parts)}
        self._parts = {name: part for name, part in parts.items() if part.whole in split}
        kept = {key: value for key, value in source.values.items() if key not in split}
        self.values: Mapping[str, Value] = kept | dict(self._values())
        self._whole = lru_cache(maxsize=1)(source.read)

    def read(self, key: str) -> Array:
        part = self._parts.get(key)
        if part is None:
            return self._source.read(key)
        where = tuple(slice(b, b + n) for b, n in zip(part.begin, part.size, strict=True))
        return np.ascontiguousarray(self._whole(part.whole)[where])

    def _values(self) -> Iterator[tuple[str, Value]]:
        for name, part in self._parts.items():
            dtype = self._source.values[part.whole].dtype
            path = f"{part.whole} from {list(part.begin)}"
            yield name, Value(key=name, dtype=dtype, shape=part.size, full_name=name, path=path)


def _covers(source: Source, whole: str, parts: Mapping[str, Part]) -> bool:
    """Whether the parts of `whole` are all of it, none of it twice."""
    if whole not in source.values or parts.keys() & source.values.keys():
        return False
    shape = source.values[whole].shape
    own = [part for part in parts.values() if part.whole == whole]
    if any(part.shape != shape or len(part.size) != len(shape) for part in own):
        return False
    marks = np.zeros(shape, np.bool_)
    for part in own:
        marks[tuple(slice(b, b + n) for b, n in zip(part.begin, part.size, strict=True))] = True
    return bool(marks.all()) and sum(math.prod(part.size) for part in own) == math.prod(shape)
