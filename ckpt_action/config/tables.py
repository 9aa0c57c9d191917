"""A model's table with `[defaults]` applied, which still knows where each key was written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ckpt_action.config.schema import schema
from ckpt_action.config.wording import KeyPath, did_you_mean


class ModelTable:
    """The keys of one model: its own, and those of `[defaults]` that it does not have."""

    def __init__(self, name: str, own: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        self.name = name
        self.path: KeyPath = ("models", name)
        self._own = own
        self._defaults = defaults

    def get(self, key: str, default: Any = None) -> Any:
        return self._own.get(key, self._defaults.get(key, default))

    def __contains__(self, key: str) -> bool:
        return key in self._own or key in self._defaults

    def at(self, key: str, *rest: str | int) -> KeyPath:
        """Key path of `key` where it was written, and of what lies below it."""
        inherited = key not in self._own and key in self._defaults
        return (("defaults", key) if inherited else (*self.path, key)) + rest

    @property
    def is_longer_name(self) -> bool:
        """Whether the header goes on where the name has a dot, as in `[models.Mnist.v2]`."""
        known = {*schema()["definitions"]["model"]["properties"]}
        inner = [
            value for value in self._own.values() if isinstance(value, dict) and {*value} & known
        ]
        return bool(inner) and len(inner) == len(self._own) and not {*self._own} & known

    def misspells(self, key: str) -> bool:
        """Whether an unknown key is meant to be `key`, which is said of that one."""
        known = {*schema()["definitions"]["model"]["properties"]}
        own = {*self._own}
        said = (did_you_mean(unknown, known - own) for unknown in own - known)
        return f"Did you mean `{key}`?" in said

    def uses_default(self, key: str) -> bool:
        return key not in self._own and key in self._defaults


def model_tables(data: Mapping[str, Any]) -> tuple[ModelTable, ...]:
    """Every model whose value is a table, in the order of the file."""
    models = data.get("models")
    defaults = data.get("defaults", {})
    if not isinstance(models, dict):
        return ()
    return tuple(
        ModelTable(name, own, defaults if isinstance(defaults, dict) else {})
        for name, own in models.items()
        if isinstance(own, dict)
    )
