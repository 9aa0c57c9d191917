"""Where the checkpoints of these tests lie, and all that our reader says about one."""

from __future__ import annotations

import shutil
from pathlib import Path

from ckpt_action.checkpoint.bundle import TensorBundle

DATA = Path(__file__).parent / "data"
CORPUS = Path(__file__).parent.parent / "corpus"
UNREADABLE = ("variant", "resource")


def prefixes() -> list[Path]:
    """Every whole TensorFlow checkpoint that is committed."""
    found = [*DATA.rglob("*.index"), *CORPUS.rglob("*.index")]
    return sorted(f.with_suffix("") for f in found if "lfs" not in f.as_posix())


def content(prefix: Path) -> dict[str, tuple[str, tuple[int, ...], object]]:
    """Key to dtype, shape and value (bytes, or a list of strings)."""
    bundle = TensorBundle(prefix)
    held = {}
    for key, entry in bundle.entries.items():
        value = None
        if entry.dtype == "string":
            value = bundle.read_strings(key)
        elif entry.dtype not in UNREADABLE:
            value = bundle.read(key).tobytes()
        held[key] = (entry.dtype, entry.shape, value)
    bundle.object_graph()
    return held


def copied(prefix: Path, folder: Path) -> Path:
    """The checkpoint at `prefix`, copied into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in prefix.parent.glob(f"{prefix.name}.*"):
        shutil.copy(file, folder)
    return folder / prefix.name
