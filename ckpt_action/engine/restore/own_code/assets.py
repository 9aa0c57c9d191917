"""Files that layers of the user's own keep in a `.keras` archive, and read in `load_assets`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ckpt_action.checkpoint.keras_archive import KerasArchive
from ckpt_action.checkpoint.records import CheckpointFiles, Kind
from ckpt_action.engine.arrays import digest, to_array
from ckpt_action.engine.objects import raw_variable
from ckpt_action.engine.restore.own_code.variables import called, overrides
from ckpt_action.engine.restore.tables.vocabularies import VOCABULARY, layer_at
from ckpt_action.errors import CkptActionError, ExitCode, Problem, fail

_METHOD = "load_assets"


def load_own_assets(root: Any, checkpoint: CheckpointFiles) -> None:
    """Let each such layer read its files, as Keras does; words of Keras' own are no such files.

    Raises RESTORE where no layer reads a file, or where reading changes a variable, which holds
    its value from the weights.
    """
    if checkpoint.kind is not Kind.KERAS_ARCHIVE:
        return
    archive = KerasArchive(checkpoint.path)
    files: dict[int, tuple[Any, dict[str, bytes]]] = {}
    problems: list[Problem] = []
    for member in archive.members:
        top, *parts = member.split("/")
        if top != "assets" or not parts or not parts[-1]:
            continue
        place, layer = _reader(root, parts)
        if layer is not None and overrides(layer, _METHOD):
            found = files.setdefault(id(layer), (layer, {}))[1]
            found["/".join(parts[len(place) :])] = archive.content(member)
        elif parts[-1] != VOCABULARY:
            problems.append(_unread(member))
    for layer, content in files.values():
        problems += _load(layer, content)
    if problems:
        raise CkptActionError(*problems)


def _reader(root: Any, parts: Sequence[str]) -> tuple[Sequence[str], Any | None]:
    """The innermost layer on the way to a file; the rest of the way are folders of its own."""
    for end in range(len(parts) - 1, -1, -1):
        layer = layer_at(root, tuple(parts[:end]))
        if layer is not None:
            return parts[:end], layer
    return (), None


def _load(layer: Any, content: Mapping[str, bytes]) -> Iterator[Problem]:
    before = _digests(layer)
    with tempfile.TemporaryDirectory() as folder:
        for name, data in content.items():
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        try:
            layer.load_assets(folder)
        except Exception as error:
            raise fail(
                ExitCode.RESTORE,
                f"`{_METHOD}` of {called(layer)} failed on the files that the archive holds for it "
                f"({', '.join(content)}): {type(error).__name__}: {error}",
                hint="The code does not read this file; use the code that wrote it.",
            ) from error
    if _digests(layer) != before:
        yield Problem(
            code=ExitCode.RESTORE,
            message=f"`{_METHOD}` of {called(layer)} changes variables after they were restored "
            "from the weights in the same file.",
            hint="Load the file by that code once (`load_model`), write "
            "`tf.train.Checkpoint(model=model).write(...)`, and export that.",
        )


def _digests(layer: Any) -> list[str]:
    held = (raw_variable(variable) for variable in layer.variables)
    return [digest(to_array(variable.read_value())) for variable in held if variable is not None]


def _unread(member: str) -> Problem:
    return Problem(
        code=ExitCode.RESTORE,
        message=f"The file holds {member}, and no layer of the model reads it.",
        hint="Build the model as it was trained, with the layer whose `save_assets` wrote it.",
    )
