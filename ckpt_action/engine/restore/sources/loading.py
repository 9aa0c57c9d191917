"""Values on their way from the file to the variables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.checkpoint.bundle import TensorBundle
from ckpt_action.engine.arrays import Array, numpy_dtype

Loaded = tuple[Any, Array]
"""What is assigned, checked against the file's checksum where it has one; and the file's bytes, to
compare with."""


class OneByOne:
    """`load` of sources that read a value at a time."""

    def read(self, key: str) -> Array:
        raise NotImplementedError

    def load(self, keys: Sequence[str]) -> Iterator[Loaded]:
        for key in keys:
            array = self.read(key)
            yield array, array


def load_from_bundle(bundle: TensorBundle, keys: Sequence[str]) -> Iterator[Loaded]:
    """TensorFlow reads and checks the values, straight into the buffers that the variables then
    share; they are compared with the mapped file, in which our own reader finds them."""
    plain = [key for key in dict.fromkeys(keys) if _is_plain(bundle, key)]
    tensors = dict(zip(plain, _restored(bundle, plain), strict=True))
    for key in keys:
        tensor = tensors.pop(key, None)
        if tensor is None:
            array = bundle.read(key)
            yield array, array
        else:
            entry = bundle.entries[key]
            stored = np.frombuffer(bundle.raw(key), numpy_dtype(entry.dtype))
            yield tensor, stored.reshape(entry.shape)


def _is_plain(bundle: TensorBundle, key: str) -> bool:
    entry = bundle.entries[key]
    return not entry.slices and entry.dtype != "string"


def _restored(bundle: TensorBundle, keys: Sequence[str]) -> Sequence[Any]:
    if not keys:
        return []
    try:
        tensors: Sequence[Any] = tf.raw_ops.RestoreV2(
            prefix=str(bundle.prefix),
            tensor_names=list(keys),
            shape_and_slices=[""] * len(keys),
            dtypes=[tf.as_dtype(bundle.entries[key].dtype) for key in keys],
        )
    except tf.errors.OpError:
        for key in keys:
            bundle.verify_crc(key)  # says which value in which file is damaged
        raise
    return tensors
