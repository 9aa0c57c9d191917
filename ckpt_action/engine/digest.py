"""The one digest by which a stored value and a variable are compared."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def digest(value: np.ndarray[Any, Any]) -> str:
    """sha256 of the little-endian bytes of `value` in C order.

    A string element is taken as its length (8 bytes, little-endian) followed by its bytes.
    """
    import numpy as np

    if value.dtype.kind in "OSU":
        state = hashlib.sha256()
        for element in value.reshape(-1):
            text = element if isinstance(element, bytes) else str(element).encode()
            state.update(len(text).to_bytes(8, "little") + text)
        return state.hexdigest()
    if value.dtype.byteorder == ">":
        value = value.astype(value.dtype.newbyteorder("<"))
    plain = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
    return hashlib.sha256(plain.data).hexdigest()
