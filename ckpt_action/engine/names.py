"""Names that everybody who reads them takes."""

from __future__ import annotations

import keyword
import re


def legal_name(name: str) -> str:
    """`name` as signatures, graphs, C and parameters of Python functions take it."""
    legal = re.sub(r"\W", "_", name, flags=re.ASCII).strip("_")
    return f"t_{legal}" if legal[:1].isdigit() or keyword.iskeyword(legal) else legal
