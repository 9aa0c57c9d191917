"""The size that no GraphDef may have, known before a byte is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.errors import ExitCode, fail

LIMIT = 2**31 - 1
"""Bytes that protocol buffers, and so every reader of a GraphDef, take at most."""


def size_of(graph: Any, values: Mapping[str, Any]) -> int:
    """Bytes of the file that `stream.write_graph` makes, a little more rather than less."""
    frames = 64 * len(values)
    structure: int = graph.ByteSize()
    return structure + frames + size_of_values(values.values())


def size_of_values(values: Iterable[Any]) -> int:
    """Bytes of the payloads alone."""
    return sum(map(_payload_size, values))


def refuse_size(size: int) -> None:
    """Raises CkptActionError (TARGET) for a graph of so many bytes where that is too many."""
    if size > LIMIT:
        raise fail(
            ExitCode.TARGET,
            f"This model cannot be frozen: its graph would have {size / 2**30:.2f} GiB, and no "
            "reader takes a protocol buffer of 2 GiB or more.",
            hint="Export it as `saved-model`, which keeps the weights in files of their own.",
        )


def _payload_size(value: Any) -> int:
    tensor = tf.convert_to_tensor(value)
    if tensor.dtype == tf.string:
        texts = np.asarray(tensor.numpy(), dtype=object).reshape(-1).tolist()
        return sum(len(text) + 5 for text in texts)
    return int(tensor.shape.num_elements() * tensor.dtype.size)
