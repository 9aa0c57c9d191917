"""The workflows that README and `docs/github.md` show, by the file name in their first line."""

from __future__ import annotations

import re

from tests.github.local_runner import ROOT


def documented_workflows() -> dict[str, str]:
    text = "".join((ROOT / page).read_text() for page in ("README.md", "docs/github.md"))
    blocks = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    named = [(re.match(r"# \.github/workflows/(\S+)\n", block), block) for block in blocks]
    return {name[1]: block for name, block in named if name}


def documented_workflow(name: str) -> str:
    return documented_workflows()[name]
