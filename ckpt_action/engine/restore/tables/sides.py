"""The lookup tables of the model and those of the checkpoint, and how a message calls them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ckpt_action.engine.objects import Held, resources_among
from ckpt_action.engine.restore.model.finish import layers_among
from ckpt_action.engine.restore.model.lookup_tables import (
    is_empty,
    is_lookup_layer,
    live_tables,
    place,
    stored_content,
)
from ckpt_action.engine.restore.model.variables import readable
from ckpt_action.engine.restore.records import Source, Value
from ckpt_action.engine.restore.tables.words import agree, difference
from ckpt_action.errors import ExitCode, Problem

Stored = Mapping[str, Value]
"""The `keys` and `values` of a table of the checkpoint."""


class Sides:
    """The tables of the model and those of the checkpoint."""

    def __init__(self, held: Held, source: Source) -> None:
        self._layers = layers = layers_among(held)
        self.live = live_tables(held)
        self._places = {id(item): place for place, item in reversed(resources_among(held))}
        self._owners = {id(one.lookup_table): one for one in layers if is_lookup_layer(one)}
        self._source = source
        self._contents: dict[str, Mapping[str, str]] = {}

    def owner(self, table: Any) -> Any | None:
        """The lookup layer whose words these are."""
        return self._owners.get(id(table))

    def name(self, table: Any) -> str:
        owner = self.owner(table)
        return f"the lookup layer {owner.name}" if owner else f"a {type(table).__name__}"

    def place(self, table: Any) -> str:
        """Where it hangs in the model: by the name of its layer, if it has one."""
        for layer in self._layers:
            for name, held in vars(layer).items():
                if held is table:
                    return f"{layer.name}/{readable(name)}"
        return readable(self._places[id(table)])

    def content(self, stored: Stored) -> Mapping[str, str]:
        """Read once, however many tables it is compared with."""
        key = stored["keys"].key
        if key not in self._contents:
            self._contents[key] = stored_content(stored, self._source)
        return self._contents[key]

    def agree(self, table: Any, stored: Stored) -> bool:
        return agree(table, self.owner(table), self.content(stored))

    def contradiction(self, table: Any, stored: Stored) -> Problem | None:
        """Why the two cannot be one, unless the layer has no words and takes the file's."""
        if self.agree(table, stored) or (is_empty(table) and self.owner(table)):
            return None
        words = difference(table, self.content(stored))
        return table_problem(
            f"The checkpoint's lookup table {place(stored)} holds other words than "
            f"{self.name(table)} has from the code: {words}.",
            "Give it the words of the training, or, if it is a lookup layer, none: then it takes "
            "the file's. If the model does not look words up in that table of the checkpoint, list "
            f"`{place(stored)}/*` in `allow-unused`.",
        )


def table_problem(message: str, hint: str) -> Problem:
    return Problem(code=ExitCode.RESTORE, message=message, hint=hint)
