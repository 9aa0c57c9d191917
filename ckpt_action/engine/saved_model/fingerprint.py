"""`fingerprint.pb` with an identifier that comes from the content.

TensorFlow 2.19 and later put a random number into the file; without it, equal models would give
unequal folders. Earlier versions have no such field. Reading the file ignores the field's origin
(tensorflow/core/protobuf/fingerprint.proto: "universally unique ID ... not based on the content").
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from tensorflow.core.protobuf import fingerprint_pb2


def settle_fingerprint(folder: Path) -> None:
    """Replace the random part of `folder`'s fingerprint, if there is one."""
    path = folder / "fingerprint.pb"
    if not path.is_file() or "uuid" not in fingerprint_pb2.FingerprintDef.DESCRIPTOR.fields_by_name:
        return
    fingerprint = fingerprint_pb2.FingerprintDef.FromString(path.read_bytes())
    fingerprint.uuid = ""
    content = hashlib.sha256(fingerprint.SerializeToString(deterministic=True)).digest()
    fingerprint.uuid = str(int.from_bytes(content[:16], "big"))
    path.write_bytes(fingerprint.SerializeToString(deterministic=True))
