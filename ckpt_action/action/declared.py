"""What a configuration speaks of, before anything is installed that reads TOML."""

from __future__ import annotations

import re
from pathlib import Path

from ckpt_action.engine.targets import registry


def declared_formats(config: Path) -> list[str]:
    """All whose name stands in quotes. One that stands there by chance only costs time."""
    text = config.read_text(encoding="utf-8", errors="replace").replace("'", '"')
    return [name for name in registry() if f'"{name}"' in text]


def wanted_extras(config: Path) -> list[str]:
    """What `config` needs of `ckpt-action[...]`; Keras 2 for checkpoints that it wrote."""
    formats = registry()
    return sorted({"tensorflow", "keras-2", *(formats[n].EXTRA for n in declared_formats(config))})


def declared_output_dir(config: Path) -> str:
    """The folder for artifacts; empty where a line by itself names none."""
    text = config.read_text(encoding="utf-8", errors="replace")
    found = re.search(r"""^\s*output-dir\s*=\s*(["'])(.+?)\1""", text, re.MULTILINE)
    return found[2] if found else ""
