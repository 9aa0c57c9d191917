"""Vocabularies of lookup layers: no variables, so no file but a `.keras` archive holds them, and
the checkpoints of TensorFlow up to 2.8 (`lookups.py`).

An archive keeps them as `assets/<place of the layer>/vocabulary.txt`. Everywhere else the code has
to bring them; a layer without one would answer "unknown" to everything, or fail when it runs.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ckpt_action.checkpoint.keras_archive import KerasArchive
from ckpt_action.checkpoint.records import CheckpointFiles, Kind
from ckpt_action.engine.restore.match.saved_state import class_name
from ckpt_action.engine.restore.model.live import is_layer
from ckpt_action.engine.restore.model.lookup_tables import is_empty, is_lookup_layer
from ckpt_action.engine.restore.names import split_count
from ckpt_action.engine.restore.own_code.variables import overrides
from ckpt_action.engine.restore.records import LiveModel
from ckpt_action.engine.restore.tables.architecture import Architecture
from ckpt_action.errors import CkptActionError, ExitCode, Problem

VOCABULARY = "vocabulary.txt"
_Place = tuple[str, ...]
"""Of a layer, as Keras writes it."""


def restore_vocabularies(
    model: LiveModel, layers: Iterable[Any], checkpoint: CheckpointFiles
) -> None:
    """Raise RESTORE for every lookup layer whose vocabulary is missing or is not the file's."""
    problems: list[Problem] = []
    if checkpoint.kind is Kind.KERAS_ARCHIVE:
        for place, content in _stored(KerasArchive(checkpoint.path)).items():
            problems += _load(model.root, place, content)
    lookups = [layer for layer in layers if is_lookup_layer(layer)]
    problems += [_empty(layer) for layer in lookups if is_empty(layer.lookup_table)]
    if problems:
        raise CkptActionError(*problems)


def refuse_order_alone(root: Any, checkpoint: CheckpointFiles) -> None:
    """Raise RESTORE where layers without words would take those of an archive, and nothing but an
    order tells which: Keras counts the layers of one class in a model, as the code has them."""
    if checkpoint.kind is not Kind.KERAS_ARCHIVE:
        return
    archive = KerasArchive(checkpoint.path)
    words, stored = _stored(archive), Architecture(archive.config)
    groups: dict[object, list[tuple[_Place, Any]]] = defaultdict(list)
    for place in words:
        layer = layer_at(root, place)
        if place[-2:-1] == ("layers",) and layer is not None and is_empty(layer.lookup_table):
            groups[place[:-1], split_count(place[-1])[0]].append((place, layer))
    problems = [
        _unclear(group)
        for group in groups.values()
        if len({words[place] for place, _ in group}) > 1
        and not (stored.is_of(root) or stored.names_each(group))
    ]
    if problems:
        raise CkptActionError(*problems)


def _stored(archive: KerasArchive) -> dict[_Place, bytes]:
    split = {member: tuple(member.split("/")) for member in archive.members}
    return {
        parts[1:-1]: archive.content(member)
        for member, parts in split.items()
        if parts[0] == "assets" and parts[-1] == VOCABULARY
    }


def _load(root: Any, place: _Place, content: bytes) -> Iterator[Problem]:
    layer = layer_at(root, place)
    if layer is None:
        yield _problem(
            f"The file holds a vocabulary for {'/'.join(place)}, and the model has no such layer.",
            "Build the model as it was trained.",
        )
        return
    if overrides(layer, "load_assets"):  # for `own_code/assets.py`
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / VOCABULARY).write_bytes(content)
        layer.load_assets(folder)
    held = [str(word) for word in layer.get_vocabulary()]
    if held != content.decode().splitlines():
        yield _problem(
            f"The layer {layer.name} has another vocabulary than the file: {len(held)} words.",
            "Let the code leave it out, so that the file's is used, or give the same words.",
        )


def layer_at(item: Any, place: _Place) -> Any | None:
    """The layer at a path as Keras writes it: attributes, and members by class and number."""
    for part in place:
        if isinstance(item, (list, tuple, dict)):
            item = _members(item).get(part)
        else:
            item = getattr(item, part, getattr(item, f"_{part}", None))
    return item if is_layer(item) and hasattr(item, "load_assets") else None


def _members(container: Any) -> dict[str, Any]:
    count: dict[str, int] = defaultdict(int)
    found = {}
    for member in container.values() if isinstance(container, dict) else container:
        name = class_name(member)
        found[f"{name}_{count[name]}" if count[name] else name] = member
        count[name] += 1
    return found


def _empty(layer: Any) -> Problem:
    return _problem(
        f"The lookup layer {layer.name} has no vocabulary, and the checkpoint holds none for it.",
        "Give it one in the code (`vocabulary=`), or restore from a `.keras` file.",
    )


def _unclear(group: Iterable[tuple[_Place, Any]]) -> Problem:
    there = ", ".join("/".join(place) for place, _ in group)
    here = ", ".join(layer.name for _, layer in group)
    return _problem(
        f"Only the order of layers says which vocabulary of the file ({there}) is that of which "
        f"lookup layer ({here}): the words differ, and the model is not wired as the one in the "
        "file.",
        "Give each the words of the training in the code (`vocabulary=`), or a `name` of its own, "
        "here and where it is trained. Without an `entry-point` the architecture in the file makes "
        "the model.",
    )


def _problem(message: str, hint: str) -> Problem:
    return Problem(code=ExitCode.RESTORE, message=message, hint=hint)
