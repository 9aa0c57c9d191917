"""The process as it was before the user's code was imported, so that all of it can run again."""

from __future__ import annotations

import os
import random
import sys
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ckpt_action.engine import internals
from ckpt_action.engine.keras_versions import loaded_keras
from ckpt_action.engine.user_code import loaded_modules


def seed_generators() -> None:
    """Let what code draws without a seed be the same in every run, as seeds of Keras' layers are
    that no checkpoint holds. A second build in one process still draws other numbers."""
    random.seed(0)
    np.random.seed(0)


class BeforeImport:
    """What the user's code adds to: modules, classes registered in Keras, counted names, variables
    of the environment, attributes of modules that are not its own."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = roots
        self._environ = dict(os.environ)
        self._sizes = {name: _size(module) for name, module in list(sys.modules.items())}
        self._registered = [(one, dict(one)) for one in _registries()]

    def undo(self) -> _Imported:
        """Leave nothing of what the user's code added; returns it."""
        added = _Imported(
            modules=self._taken_out(),
            registered=[(one, dict(one)) for one in _registries()],
            environ=dict(os.environ),
            attributes=self._attributes(),
        )
        _set(self._registered)
        _set_environ(self._environ)
        for module, name, _ in added.attributes:
            vars(module).pop(name, None)
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
            _set_environ(added.environ)
            for module, name, value in added.attributes:
                setattr(module, name, value)

    def _attributes(self) -> list[tuple[Any, str, Any]]:
        """(module, name, value) of data that was put into modules of Python and of packages; what
        these load late is modules, functions and classes."""
        grown = (
            (name, module)
            for name, module in list(sys.modules.items())
            if _size(module) > self._sizes.get(name, sys.maxsize)
        )
        return [
            (module, key, value)
            for name, module in grown
            for key, value in list(vars(module).items())[self._sizes[name] :]
            if not key.startswith("__") and _is_data(value)
        ]

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
    environ: dict[str, str]
    attributes: list[tuple[Any, str, Any]]


def _size(module: Any) -> int:
    """How many attributes it has; what stands for a module and is none has none."""
    return len(vars(module)) if isinstance(module, types.ModuleType) else 0


def _is_data(value: Any) -> bool:
    return not (isinstance(value, (type, types.ModuleType)) or callable(value))


def _set_environ(variables: dict[str, str]) -> None:
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    os.environ.update({k: v for k, v in variables.items() if os.environ.get(k) != v})


def _registries() -> list[_Registry]:
    """The dicts in which each loaded Keras keeps the classes that code registered."""
    return [registry for keras in _kerases() for registry in internals.registries(keras)]


def _kerases() -> list[Any]:
    return [keras for generation in (3, 2) if (keras := loaded_keras(generation)) is not None]


def _set(contents: list[tuple[_Registry, _Registry]]) -> None:
    for registry, content in contents:
        registry.clear()
        registry.update(content)
