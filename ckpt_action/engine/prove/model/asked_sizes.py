"""Which sizes the user's Python code asks for: what it compares a size with, when it is called.

A constant, an attribute or a default says where code changes its mind; all of them are seen where
the comparison is made, and what was reckoned with the size before is reckoned back.
"""

from __future__ import annotations

import functools
import math
import os
import sys
import types
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import tensorflow as tf

_CONVERTED = "__autograph_generated_file"
"""What AutoGraph calls the files of the code that it has rewritten."""


class Change(NamedTuple):
    """A comparison comes out otherwise with a size than with another one."""

    size: int
    at: int
    """The other one."""
    exactly: bool
    """Not beyond it too."""


@dataclass(kw_only=True)
class Asked:
    """Collected while `watched`."""

    users: Collection[str]
    """Real names of the user's files."""
    found: set[Change] = field(default_factory=set)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Inside, sizes that the user's code takes from shapes tell what they are compared with."""
        shape: Any = tf.TensorShape
        names = ("__getitem__", "__iter__", "as_list")
        originals = {name: getattr(shape, name) for name in names}
        for name, original in originals.items():
            setattr(shape, name, self._telling(original))
        try:
            yield
        finally:
            for name, original in originals.items():
                setattr(shape, name, original)

    def hear(self, size: _Size, other: object, *, beyond: int = 0, exactly: bool = False) -> None:
        """`size` is compared with `other`, and what comes out changes at that, or `beyond` it; two
        sizes of one call say nothing about others."""
        if isinstance(other, _Size) or not isinstance(other, int):
            return
        if self._asks(sys._getframe(2)):  # noqa: SLF001
            at = math.ceil((int(other) + beyond - size.offset) / size.factor)
            self.found.add(Change(size.original, at, exactly))

    def _telling(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def told(shape: Any, *arguments: Any) -> Any:
            given = original(shape, *arguments)
            if not self._takes(sys._getframe(1)):  # noqa: SLF001
                return given
            if type(given) is int:
                return _size(given, self)
            if isinstance(given, tf.TensorShape):
                return given
            sizes = [_size(n, self) if type(n) is int else n for n in given]
            return sizes if isinstance(given, list) else iter(sizes)

        return told

    def _takes(self, frame: types.FrameType) -> bool:
        """The user's code; or `keras.ops.shape`, which it calls."""
        return self._asks(frame) or (
            frame.f_code.co_name == "shape" and "keras" in frame.f_code.co_filename
        )

    def _asks(self, frame: types.FrameType) -> bool:
        name = frame.f_code.co_filename
        return _CONVERTED in name or _real(name) in self.users


@functools.cache
def _real(name: str) -> str:
    return os.path.realpath(name)


class _Size(int):
    """An integer that is `factor` * `original` + `offset`, and tells of comparisons."""

    original: int
    factor: Fraction
    offset: Fraction
    asked: Asked

    def __add__(self, other: Any) -> Any:
        return self._reckoned(int.__add__(self, other), 1, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._reckoned(int.__sub__(self, other), 1, other, sign=-1)

    def __mul__(self, other: Any) -> Any:
        return self._reckoned(int.__mul__(self, other), other, 0)

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        value = int.__floordiv__(self, other)
        return self._reckoned(value, Fraction(1, int(other)) if type(value) is int else 1, 0)

    def _reckoned(self, value: Any, factor: Any, offset: Any, *, sign: int = 1) -> Any:
        """`value` where `self` was multiplied by `factor`, and `offset` added."""
        if type(value) is not int or factor <= 0:
            return value
        factor = factor if isinstance(factor, Fraction) else Fraction(int(factor))
        return _size(
            value,
            self.asked,
            original=self.original,
            factor=self.factor * factor,
            offset=self.offset * factor + sign * int(offset),
        )

    def __gt__(self, other: Any) -> Any:
        self.asked.hear(self, other, beyond=1)
        return int.__gt__(self, other)

    def __le__(self, other: Any) -> Any:
        self.asked.hear(self, other, beyond=1)
        return int.__le__(self, other)

    def __lt__(self, other: Any) -> Any:
        self.asked.hear(self, other)
        return int.__lt__(self, other)

    def __ge__(self, other: Any) -> Any:
        self.asked.hear(self, other)
        return int.__ge__(self, other)

    def __eq__(self, other: object) -> Any:
        self.asked.hear(self, other, exactly=True)
        return int.__eq__(self, other)

    def __ne__(self, other: object) -> Any:
        self.asked.hear(self, other, exactly=True)
        return int.__ne__(self, other)

    __hash__ = int.__hash__


def _size(
    value: int,
    asked: Asked,
    *,
    original: int | None = None,
    factor: Fraction = Fraction(1),
    offset: Fraction = Fraction(0),
) -> _Size:
    made = _Size(value)
    made.original = value if original is None else original
    made.factor, made.offset, made.asked = factor, offset, asked
    return made
