"""The files that a model's table names: they exist, lie in the repository and are no stand-ins."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import PurePosixPath

from ckpt_action.config.findings import Finding
from ckpt_action.config.places import Places
from ckpt_action.config.tables import ModelTable
from ckpt_action.config.wording import KeyPath, value_text
from ckpt_action.repository import other_bases, path_from

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_NO_GOLDEN = (
    "Record it in the training program with `ckpt_action.record_golden`, or leave `golden` out."
)


def file_findings(model: ModelTable, places: Places) -> Iterator[Finding]:
    golden = model.get("verify", {}).get("golden")
    if golden is not None:
        path = model.at("verify", "golden")
        yield from _file(golden, path, places, begins_with=b"PK", absent=_NO_GOLDEN)
    for index, text in enumerate(model.get("op-libraries", ())):
        yield from _file(text, model.at("op-libraries", index), places)


def _file(
    text: str,
    path: KeyPath,
    places: Places,
    *,
    begins_with: bytes = b"",
    absent: str = "",
) -> Iterator[Finding]:
    file = places.resolve(text)
    if why := places.refusal(text):
        hint = places.correction(text)
        yield Finding(path=path, message=f"{value_text(text)} {why}.", hint=hint)
        return
    if not file.is_file():
        yield Finding(
            path=path,
            message=f"There is no file {value_text(text)}.",
            hint=_nearby(text, places) or absent,
        )
        return
    try:
        with file.open("rb") as opened:
            start = opened.read(len(_LFS_POINTER))
    except OSError as error:
        message = f"{value_text(text)} cannot be read: {error.strerror or error}."
        yield Finding(path=path, message=message)
        return
    if start == _LFS_POINTER:
        yield Finding(
            path=path,
            message=f"{value_text(text)} is a Git LFS pointer, not the file itself.",
            hint="Run `git lfs pull`; in a workflow give actions/checkout `lfs: true`.",
        )
    elif not start.startswith(begins_with):
        yield Finding(path=path, message=f"{value_text(text)} is not an `.npz` file.")


def _nearby(text: str, places: Places) -> str:
    """Where the one file of this name is, from another folder or one folder further down."""
    if away := places.elsewhere(text):
        return f"It lies at {value_text(away)}: paths start from this file's folder."
    name = glob.escape(PurePosixPath(text).name)
    found = {
        file
        for base in (places.folder, *other_bases(places.folder))
        for file in base.glob(f"*/{name}")
        if file.is_file() and not file.parent.name.startswith(".")
    }
    if len(found) != 1:
        return ""
    return f"Did you mean {value_text(path_from(places.folder, found.pop()))}?"
