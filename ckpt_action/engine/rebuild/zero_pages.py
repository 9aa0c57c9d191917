"""Tensors of zeros whose memory is taken only when somebody reads or writes them, and who tells.

Anonymous memory has no pages before its first use. Linux says of each page whether it has one:
`/proc/self/pagemap`, bits 63 (present) and 62 (swapped out) of a 64 bit word per page
(https://docs.kernel.org/admin-guide/mm/pagemap.html).
"""

from __future__ import annotations

import functools
import math
import mmap
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

_PAGEMAP = Path("/proc/self/pagemap")
_IN_USE = np.uint64(3 << 62)


class ZeroPages:
    """One tensor's memory. The mapping is held, so that no other tensor comes to lie there."""

    def __init__(self, shape: Sequence[int], dtype: Any) -> None:
        size = max(1, math.prod(shape) * dtype.size)
        self.memory = np.frombuffer(mmap.mmap(-1, size, flags=_PRIVATE), np.uint8)
        self.address: int = self.memory.ctypes.data
        self._shape, self._dtype = tuple(shape), dtype
        self._lent: Callable[[], object] = lambda: None

    def tensor(self) -> tf.Tensor:
        """Shares the memory; to be called once."""
        plain = np.uint16 if self._dtype == tf.bfloat16 else self._dtype.as_numpy_dtype
        array = self.memory.view(plain).reshape(self._shape)
        self._lent = weakref.ref(array)  # the tensor's buffer holds the array
        tensor = tf.experimental.dlpack.from_dlpack(array.__dlpack__())
        return tensor if tensor.dtype == self._dtype else tf.bitcast(tensor, self._dtype)

    def holds(self, variable: tf.Variable) -> bool:
        """Whether this memory is still the variable's value."""
        return address_of(variable) == self.address

    def lent(self) -> bool:
        """Whether any tensor or variable still has this memory."""
        return self._lent() is not None

    def touched(self) -> bool:
        """Whether anything was ever read from it or written to it."""
        pages = -(-self.memory.size // mmap.PAGESIZE)
        with _PAGEMAP.open("rb", buffering=0) as pagemap:
            pagemap.seek(self.address // mmap.PAGESIZE * 8)
            words = np.frombuffer(pagemap.read(pages * 8), np.uint64)
        return len(words) != pages or bool((words & _IN_USE).any())


_PRIVATE = getattr(mmap, "MAP_PRIVATE", 0) | getattr(mmap, "MAP_ANONYMOUS", 0)


@functools.cache
def can_tell() -> bool:
    """Whether this machine tells pages that were read from those that were not; seen, not assumed.

    False outside of Linux and in sandboxes that do not say.
    """
    if not _PAGEMAP.exists():
        return False
    probe = ZeroPages((2 * mmap.PAGESIZE,), tf.uint8)
    try:
        before, value = probe.touched(), int(probe.memory[0])
        return not before and value == 0 and probe.touched()
    except OSError:
        return False


def address_of(variable: tf.Variable) -> int:
    """Where the value lies in memory; not for strings."""
    value = variable.read_value()
    if value.dtype == tf.bfloat16:  # numpy takes no view of a scalar
        value = tf.bitcast(value, tf.uint16)
    address: int = np.asarray(value).__array_interface__["data"][0]
    return address
