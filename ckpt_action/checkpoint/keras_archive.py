"""Keras 3's own files: the `.keras` archive or folder, and weights in shards (`.weights.json`).

Members are read by exact name and never unpacked; what is larger than it can honestly be is
refused before it is read.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ckpt_action.checkpoint.damage import AGAIN, broken, reading
from ckpt_action.checkpoint.foreign import foreign_zip
from ckpt_action.checkpoint.records import Writer

CONFIG, METADATA = "config.json", "metadata.json"
WEIGHTS, WEIGHTS_MAP = "model.weights.h5", "model.weights.json"
_LARGEST_JSON = 256 << 20
_LARGEST_FACTOR, _SUSPICIOUS = 64, 1 << 30


class KerasArchive:
    """A `.keras` file, or the folder that `save(..., zipped=False)` writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.members = self._members()
        weights = {WEIGHTS, WEIGHTS_MAP} & set(self.members)
        if CONFIG not in self.members or not weights:
            raise broken(path, f"{path.name}: {foreign_zip(list(self.members))}", "")

    @property
    def config(self) -> str:
        """The architecture as JSON."""
        return self._text(CONFIG)

    @property
    def keras_version(self) -> str:
        with reading(self.path, METADATA):
            metadata = json.loads(self._text(METADATA)) if METADATA in self.members else {}
        version = metadata.get("keras_version") if isinstance(metadata, dict) else None
        return version if isinstance(version, str) else ""

    @property
    def writer(self) -> Writer:
        version = self.keras_version
        if not version:
            return Writer.UNKNOWN
        return Writer.KERAS_2 if version.startswith("2.") else Writer.KERAS_3

    @property
    def shards(self) -> tuple[str, ...]:
        """The members that hold weights, in order."""
        if WEIGHTS in self.members:
            return (WEIGHTS,)
        return shard_names(self.path, self._text(WEIGHTS_MAP))

    def content(self, member: str) -> bytes:
        """The bytes of `member`, its CRC checked where the archive is a zip file."""
        if member not in self.members:
            raise broken(self.path, f"{member} is missing in {self.path.name}.", AGAIN)
        with reading(self.path, member):
            if self.path.is_dir():
                return (self.path / member).read_bytes()
            with zipfile.ZipFile(self.path) as archive:
                return archive.read(member)

    def _members(self) -> Mapping[str, int]:
        """Name to size of every file; raises where the names or the sizes are not honest."""
        if self.path.is_dir():
            with reading(self.path):
                files = [item for item in self.path.rglob("*") if item.is_file()]
                return {f.relative_to(self.path).as_posix(): f.stat().st_size for f in files}
        with reading(self.path), zipfile.ZipFile(self.path) as archive:
            found = archive.infolist()
        names = [info.filename for info in found]
        for name in names:
            if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/"):
                raise broken(
                    self.path, f"{self.path.name} holds a path outside itself: {name}.", ""
                )
        if len(set(names)) != len(names):
            raise broken(self.path, f"{self.path.name} holds two files of the same name.", "")
        if any(info.flag_bits & 1 for info in found):
            raise broken(self.path, f"{self.path.name} is encrypted.", "")
        total, size = sum(info.file_size for info in found), self.path.stat().st_size
        if total > _SUSPICIOUS and total > size * _LARGEST_FACTOR:
            message = f"{self.path.name} has {size} bytes and claims to unpack to {total}."
            raise broken(self.path, message, "")
        return {info.filename: info.file_size for info in found}

    def _text(self, member: str) -> str:
        if self.members.get(member, 0) > _LARGEST_JSON:
            raise broken(self.path, f"{member} in {self.path.name} is absurdly large.", "")
        with reading(self.path, member):
            return self.content(member).decode()


def shard_names(file: Path, text: str) -> tuple[str, ...]:
    """The weight files that a `.weights.json` names, in order; they must lie beside it."""
    with reading(file):
        data: Any = json.loads(text)
    weights = data.get("weight_map") if isinstance(data, dict) else None
    if not isinstance(weights, dict):
        raise broken(file, f"{file.name} is JSON without a weight_map.", "")
    named: dict[str, None] = {}
    for value in weights.values():
        for name in value if isinstance(value, list) else [value]:
            if not isinstance(name, str) or not name or name in (".", ".."):
                raise broken(file, f"{file.name} names no file where it should.", AGAIN)
            if "/" in name or "\\" in name:
                raise broken(file, f"{file.name} names a file outside its folder: {name}.", "")
            named[name] = None
    return tuple(sorted(named))
