"""The ways of passing its inputs that a method's parameters leave open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Style = Literal["keywords", "positional", "list", "dict"]


def possible_styles(
    names: tuple[str, ...], taken: tuple[Any, ...], training: Mapping[str, bool]
) -> list[Style]:
    """The likeliest first."""
    usable = [p for p in taken if p.name in names or p.name not in {*training, "mask"}]
    by_name = {p.name for p in usable if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    if set(names) <= by_name:
        return ["keywords"]
    takes_any = any(p.kind is p.VAR_POSITIONAL for p in usable)
    positional = [p for p in usable if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)]
    required = [p for p in positional if p.default is p.empty]
    styles: list[Style] = []
    if takes_any or len(required) <= len(names) <= len(positional) or not taken:
        styles.append("positional")
    if len(names) > 1 and len(required) <= 1:
        styles += ["list", "dict"]
    if any(p.kind is p.VAR_KEYWORD for p in usable):
        styles.append("keywords")
    return styles
