"""Environment variables that open a door: the exported repository's code may not see them."""

from __future__ import annotations

import re

_SECRET = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE_?KEY|API_?KEY|ACCESS_?KEY|(^|[_-])PAT$"
    r"|^ACTIONS_|^SSH_AUTH_SOCK$",
    re.IGNORECASE,
)


def is_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret, or the way to one."""
    return _SECRET.search(name) is not None
