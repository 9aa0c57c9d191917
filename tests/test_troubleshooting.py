"""`docs/troubleshooting.md` quotes messages that the code still has."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
MESSAGES = re.findall(r"^(?:error|warning): (.+)$", PAGE, re.MULTILINE)


@cache
def texts() -> frozenset[str]:
    """Every piece of text between the gaps of the code's messages."""
    trees = [ast.parse(f.read_text(encoding="utf-8")) for f in ROOT.glob("ckpt_action/**/*.py")]
    constants = [n.value for t in trees for n in ast.walk(t) if isinstance(n, ast.Constant)]
    return frozenset(value for value in constants if isinstance(value, str) and len(value) > 5)


def strange_words(message: str) -> list[str]:
    """Runs of five words and more that no text of the code has: names and numbers are shorter."""
    for text in sorted(texts(), key=len, reverse=True):
        message = message.replace(text, "\n")
    return re.findall(r"\w+(?: \w+){4,}", message)


@pytest.mark.parametrize("message", MESSAGES)
def test_the_message_is_one_of_the_code(message):
    assert strange_words(message) == []


def test_a_message_that_changed_is_seen():
    assert len(MESSAGES) > 25
    message = next(m for m in MESSAGES if "is written at every call" in m)
    assert strange_words(message.replace("at every call", "at each call"))
