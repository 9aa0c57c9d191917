"""The `checkpoint` file beside TensorFlow checkpoints: a hint, never a path to follow.

It holds `CheckpointState` as text. Its paths are often those of another machine, or name runs
that were never committed; only the last part of a path is used, beside the file itself.
"""

from __future__ import annotations

import re
from pathlib import Path

NAME = "checkpoint"
_LATEST = re.compile(rb'^\s*model_checkpoint_path:\s*"((?:[^"\\]|\\.)*)"', re.MULTILINE)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", re.DOTALL)
_SEVERAL = re.compile(r"-\?{5}-of-\d{5}$")
"""How TF1 names a checkpoint of the V1 format that lies in several files."""
_LARGEST = 1 << 20


def named_in(folder: Path) -> str | None:
    """The name of the checkpoint that the state file of `folder` calls the latest."""
    try:
        with (folder / NAME).open("rb") as stream:
            text = stream.read(_LARGEST)
    except OSError:
        return None
    match = _LATEST.search(text)
    if match is None:
        return None
    path = _ESCAPE.sub(_unescaped, match[1]).decode("utf-8", "replace")
    return _SEVERAL.sub("", re.split(r"[/\\]", path)[-1]) or None


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code[:1].isdigit():
        return bytes([int(code, 8) & 0xFF])
    if code[:1] == b"x" and len(code) > 1:
        return bytes([int(code[1:], 16)])
    return code
