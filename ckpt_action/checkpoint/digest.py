"""One digest for a whole checkpoint, from its files alone."""

from __future__ import annotations

import hashlib

from ckpt_action.checkpoint.damage import reading
from ckpt_action.checkpoint.records import CheckpointFiles

_CHUNK = 1 << 20


def checkpoint_digest(checkpoint: CheckpointFiles) -> str:
    """SHA-256 in hex over name, size and bytes of every file, in the order of the names.

    Names are relative to the folder that `checkpoint.path` lies in (or is), so the digest does not
    depend on where the checkpoint lies.
    """
    folder = checkpoint.path if checkpoint.path.is_dir() else checkpoint.path.parent
    named = sorted((file.relative_to(folder).as_posix(), file) for file in checkpoint.files)
    total = hashlib.sha256()
    for name, file in named:
        with reading(file), file.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(0)
            total.update(f"{name}\0{size}\0".encode())
            while chunk := stream.read(_CHUNK):
                total.update(chunk)
    return total.hexdigest()
