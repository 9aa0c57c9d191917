"""The verbs of the command line: every module of this folder is one verb.

A verb's module has a docstring whose first line is its help, `configure(parser)`, which adds its
arguments, and `run(args) -> ExitCode`.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from typing import Protocol, cast

from ckpt_action.errors import ExitCode


class Command(Protocol):
    """A module of this folder."""

    __doc__: str | None

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the verb's own arguments."""

    def run(self, args: argparse.Namespace) -> ExitCode:
        """Do it; a user's mistake is raised as `CkptActionError`."""


def names() -> tuple[str, ...]:
    """Every verb, sorted; imports none of them."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load(name: str) -> Command:
    """Import one verb, and with it only what that verb needs."""
    return cast("Command", importlib.import_module(f"{__name__}.{name}"))
