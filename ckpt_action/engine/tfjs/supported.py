"""The ops that TensorFlow.js maps: `ops.json`, which `npm run ops` in tests/browser writes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Supported:
    package: str
    version: str
    ops: frozenset[str]


@cache
def supported() -> Supported:
    data = json.loads(Path(__file__).with_name("ops.json").read_text(encoding="utf-8"))
    return Supported(package=data["package"], version=data["version"], ops=frozenset(data["ops"]))
