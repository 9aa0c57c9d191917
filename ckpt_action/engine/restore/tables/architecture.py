"""The architecture in a `.keras` archive: which layers it names, and how they are wired."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ckpt_action.engine.restore.match.saved_state import snake
from ckpt_action.engine.restore.names import ranks, split_count


class Architecture:
    """What `config.json` says of a Functional or Sequential model; of others it says nothing."""

    def __init__(self, config: str | None) -> None:
        stored = json.loads(config or "null")
        inner = stored.get("config") if isinstance(stored, Mapping) else None
        self._config: Mapping[str, Any] = inner if isinstance(inner, Mapping) else {}

    def is_of(self, model: Any) -> bool:
        """Whether `model` has the same layers with the same names, each of them fed by the same.

        Automatic names are counted through the whole process, so they are compared by their ranks.
        """
        try:
            live = json.loads(json.dumps(model.get_config(), default=str))
        except Exception:  # noqa: BLE001  the code of a layer of the user's own may raise anything
            return False
        wired = _wiring(self._config)
        return bool(wired) and wired == _wiring(live)

    def names_each(self, layers: Iterable[tuple[Sequence[str], Any]]) -> bool:
        """Whether each place bears a name that a person gave it, and the live layer there too."""
        return all(
            name == layer.name and split_count(name)[0] != split_count(place[-1])[0]
            for place, layer in layers
            for name in [self._name_at(place)]
        )

    def _name_at(self, place: Sequence[str]) -> str:
        layer: Mapping[str, Any] = {"config": self._config}
        for group, key in zip(place[::2], place[1::2], strict=False):
            family, rank = split_count(key)
            inner = _layers(layer["config"]) if group == "layers" else []
            alike = [one for one in inner if snake(str(one.get("class_name"))) == family]
            if rank >= len(alike):
                return ""
            layer = alike[rank]
        return str(layer["config"].get("name", ""))


def _layers(config: Any) -> list[Mapping[str, Any]]:
    listed = config.get("layers") if isinstance(config, Mapping) else None
    found = [one for one in listed or () if isinstance(one, Mapping)]
    return [one for one in found if isinstance(one.get("config"), Mapping)]


def _wiring(config: Mapping[str, Any]) -> list[object]:
    """Of each layer its class, its name, and the names of those that feed it."""
    entries = list(_entries(config))
    counts = ranks(split_count(name) for _, names in entries for name in names)

    def counted(name: str) -> tuple[str, int]:
        family, count = split_count(name)
        return family, counts[family][count]

    return [(kind, *map(counted, names)) for kind, names in entries]


def _entries(config: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for layer in _layers(config):
        name = str(layer["config"].get("name", ""))
        yield str(layer.get("class_name")), [name, *_sources(layer.get("inbound_nodes"))]
        yield from _entries(layer["config"])


def _sources(nodes: Any) -> Iterator[str]:
    """The layers whose outputs are named, in the notation of either Keras."""
    if isinstance(nodes, Mapping):
        for value in nodes.values():
            yield from _sources(value)
    elif isinstance(nodes, list):
        if len(nodes) > 2 and isinstance(nodes[0], str) and isinstance(nodes[1], int):
            yield nodes[0]  # and which of its calls and outputs
        for value in nodes:
            yield from _sources(value)
