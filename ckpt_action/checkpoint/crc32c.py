"""CRC-32C (Castagnoli), which guards every block and every tensor of a TensorFlow checkpoint."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78  # reflected, RFC 3720 appendix B.4
_INVERTED = 0xFFFFFFFF
_LANES = (2048, 256)
"""Words that are folded at once: many for large data, fewer for what is left of it."""


def crc32c(data: bytes | memoryview, crc: int = 0) -> int:
    """CRC of `data`, continuing from the CRC `crc` of what came before; standard library only."""
    table = _table()
    state = crc ^ _INVERTED
    for byte in data:
        state = table[(state ^ byte) & 0xFF] ^ (state >> 8)
    return state ^ _INVERTED


def crc32c_array(data: bytes | memoryview) -> int:
    """The same CRC through numpy: hundreds of MB a second where the plain loop does about ten."""
    state = _INVERTED
    for lanes in _LANES:
        if len(data) >= 4 * 8 * lanes:
            data, state = _fold(data, state, lanes), 0
    return crc32c(data, state ^ _INVERTED)


def _fold(data: bytes | memoryview, state: int, lanes: int) -> bytes:
    """Shorter bytes that leave the same CRC state from 0 as `data` leaves from `state`.

    A CRC is linear, so the state after a word may be xored into the word one row (`lanes` words)
    further on, once it has been moved past the bytes of that row: whole rows fold at once.
    """
    import numpy as np

    rows = len(data) // (8 * lanes)
    words = np.frombuffer(data, "<u8", rows * lanes).reshape(rows, lanes)
    by_position = _fold_tables(lanes)
    carried = np.zeros(lanes, "<u8")
    carried[0] = state
    for row in words[:-1]:
        mixed = (row ^ carried).view("<u2").reshape(lanes, 4)
        carried = by_position[0].take(mixed[:, 0])
        for position in (1, 2, 3):
            carried ^= by_position[position].take(mixed[:, position])
    last: NDArray[np.uint64] = words[-1] ^ carried
    return last.astype("<u8").tobytes() + bytes(data[rows * lanes * 8 :])


def mask(crc: int) -> int:
    """The form in which CRCs are stored (tsl/lib/hash/crc32c.h)."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


@cache
def _table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)  # noqa: PLW2901
        table.append(value)
    return tuple(table)


@cache
def _fold_tables(lanes: int) -> tuple[NDArray[np.uint32], ...]:
    """For each 16-bit quarter of a word: the state it leaves one row further."""
    import numpy as np

    values = np.arange(1 << 16, dtype=np.uint32)
    moved = _apply(_zero_bytes(8 * lanes - 6), values)
    tables = [moved]
    for _ in range(3):
        moved = _apply(_zero_bytes(2), moved)
        tables.insert(0, moved)
    return tuple(tables)


def _zero_bytes(count: int) -> NDArray[np.uint32]:
    """The linear map "`count` zero bytes follow", as the images of the 32 unit vectors."""
    import numpy as np

    units = np.left_shift(np.uint32(1), np.arange(32, dtype=np.uint32))
    power = np.array(_table(), np.uint32)[units & 0xFF] ^ (units >> np.uint32(8))
    result: NDArray[np.uint32] = units
    while count:
        if count & 1:
            result = _apply(power, result)
        power = _apply(power, power)
        count >>= 1
    return result


def _apply(images: NDArray[np.uint32], values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    import numpy as np

    result = np.zeros_like(values)
    for bit in range(32):
        result ^= ((values >> np.uint32(bit)) & np.uint32(1)) * images[bit]
    return result
