"""The registry of formats: every module of this folder is one target."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from ckpt_action.engine.records import Target


@cache
def registry() -> dict[str, Target]:
    """Format name to target, sorted; reading it imports no TensorFlow."""
    modules = (
        importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)
    )
    targets = [cast("Target", module) for module in modules]
    return {target.FORMAT: target for target in sorted(targets, key=lambda t: t.FORMAT)}
