"""Environment variables that open a door: the exported repository's code may not see them."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SHORTEST = 8
"""Values shorter than this are no secrets, and would blot out ordinary words."""
_SECRET = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE_?KEY|API_?KEY|ACCESS_?KEY|(^|[_-])PAT$"
    r"|^ACTIONS_|^SSH_AUTH_SOCK$",
    re.IGNORECASE,
)


def is_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret, or the way to one."""
    return _SECRET.search(name) is not None


def masked(text: str, environ: Mapping[str, str]) -> str:
    """`text` without the values of such variables, wherever it has them from."""
    for name, value in environ.items():
        if len(value) >= _SHORTEST and is_secret(name):
            text = text.replace(value, "***")
    return text
