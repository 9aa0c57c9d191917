"""The process as it was before the user's code was imported, so that all of it can run again."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ckpt_action.engine import internals
from ckpt_action.engine.kerases import loaded_keras
from ckpt_action.engine.rebuild.user_code import loaded_modules


def seed_generators() -> None:
    """Let what code draws without a seed be the same in every run, as seeds of Keras' layers are
    that no checkpoint holds. A second build in one process still draws other numbers."""
    random.seed(0)
    np.random.seed(0)


class BeforeImport:
    """What the user's code adds to: modules, classes registered in Keras, counted names."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = roots
        self._registered = [(one, dict(one)) for one in _registries()]

    def undo(self) -> _Imported:
        """Leave nothing of what the user's code added; returns it."""
        added = _Imported(
            modules=self._taken_out(), registered=[(one, dict(one)) for one in _registries()]
        )
        _set(self._registered)
        for keras in _kerases():
            internals.reset_keras_names(keras)
        return added

    @contextmanager
    def again(self) -> Iterator[None]:
        """Inside, the user's modules are not imported; afterwards the first ones are back.

        A cache in a module, or a model that is made when the module is imported, would otherwise
        be the same for both.
        """
        added = self.undo()
        try:
            yield
        finally:
            self._taken_out()
            sys.modules.update(added.modules)
            _set(added.registered)

    def _taken_out(self) -> dict[str, Any]:
        """Namespace packages too, which lead to their modules; not what Python cannot load twice:
        extension modules and the program itself."""
        found = {
            name: module
            for name, module in loaded_modules(self._roots).items()
            if name != "__main__"
            and str(getattr(module, "__file__", None) or ".py").endswith(".py")
        }
        for name in found:
            del sys.modules[name]
        return found


_Registry = dict[Any, Any]


@dataclass(frozen=True, kw_only=True)
class _Imported:
    modules: dict[str, Any]
    registered: list[tuple[_Registry, _Registry]]
    """Each registry and what it held."""


def _registries() -> list[_Registry]:
    """The dicts in which each loaded Keras keeps the classes that code registered."""
    return [registry for keras in _kerases() for registry in internals.registries(keras)]


def _kerases() -> list[Any]:
    return [keras for generation in (3, 2) if (keras := loaded_keras(generation)) is not None]


def _set(contents: list[tuple[_Registry, _Registry]]) -> None:
    for registry, content in contents:
        registry.clear()
        registry.update(content)
