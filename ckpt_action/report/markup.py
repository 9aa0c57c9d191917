"""Foreign text inside Markdown and HTML, so that it stays text."""

from __future__ import annotations

import html
import re

from ckpt_action.report.workflow_commands import sanitize

# A character reference never counts as structure in Markdown, and is nothing but text in HTML.
_STRUCTURE = re.compile(r"[!-'*+:-@\[-`{-~.]")


def markdown(text: str) -> str:
    """`text` for one line of GitHub's Markdown: no markup, no link, no mention, no table cell."""
    line = " ".join(sanitize(text).split())
    return _STRUCTURE.sub(lambda match: f"&#{ord(match[0])};", line)


def code(text: str) -> str:
    """As `markdown`, set in the font of code."""
    return f"<code>{markdown(text)}</code>"


def hypertext(text: str) -> str:
    """`text` for HTML, between tags or inside a quoted attribute."""
    return html.escape(sanitize(text))
