"""String tensors in a bundle: the lengths as varints, a checksum over them, then the bytes.

Source: `WriteStringTensor` of tensorflow/core/util/tensor_bundle/tensor_bundle.cc. The checksums
run over the lengths as fixed 32-bit numbers (64 where one does not fit), not over the varints.
"""

from __future__ import annotations

from ckpt_action.checkpoint.crc32c import crc32c, mask
from ckpt_action.checkpoint.wire import MalformedError, take, varint


def parse_strings(data: bytes, count: int, expected_crc: int) -> list[bytes]:
    """The `count` strings stored in `data`, whose masked checksum must be `expected_crc`."""
    at, crc, lengths = 0, 0, []
    for _ in range(count):
        length, at = varint(data, at)
        lengths.append(length)
        crc = crc32c(length.to_bytes(4 if length < 1 << 32 else 8, "little"), crc)
    stored = take(data, at, 4)
    if mask(crc) != int.from_bytes(stored, "little"):
        raise MalformedError("the checksum of its string lengths does not fit them")
    at += 4
    if sum(lengths) != len(data) - at:
        raise MalformedError("its strings do not fill the bytes that it has")
    if mask(crc32c(data[at:], crc32c(stored, crc))) != expected_crc:
        raise MalformedError("its checksum does not fit its content")
    strings = []
    for length in lengths:
        strings.append(data[at : at + length])
        at += length
    return strings
