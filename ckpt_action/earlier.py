"""An earlier export: what to compare with, and to take from what has not changed since."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ckpt_action.errors import CkptActionError, ExitCode, Where, fail
from ckpt_action.manifest import Manifest, read_manifest, read_manifest_file
from ckpt_action.safe_paths import ways_out


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """An earlier export."""

    folder: Path | None
    """Its output folder; None where only its manifest is at hand."""
    name: str
    """As reports call it."""
    manifest: Manifest
    here: bool
    """It lies where the new export goes."""


def read_earlier(named: Path | None, output_dir: Path) -> Earlier | None:
    """The export that `named`, its folder or its manifest, is of; else the one in `output_dir`.

    None where there is none that can be read and trusted, or that holds anything: then everything
    is exported. Raises CkptActionError (OUTPUT) where the one that was named is not there, cannot
    be read or leads out of its folder.
    """
    if named is not None:
        return _read(named, output_dir)
    try:
        return _read(output_dir, output_dir)
    except CkptActionError:
        return None


def _read(path: Path, output_dir: Path) -> Earlier | None:
    folder = path if path.is_dir() else None
    manifest = read_manifest(folder) if folder else read_manifest_file(path)
    if manifest is None:
        raise _unusable(f"There is no earlier export: {path} is not there or holds none.", path)
    if folder and (ways := [*ways_out(manifest, folder)]):
        raise _unusable(ways[0], path)
    if not manifest.jobs:
        return None
    here = folder is not None and folder.resolve() == output_dir.resolve()
    name = path.name if here else path.as_posix()
    return Earlier(folder=folder, name=name, manifest=manifest, here=here)


def _unusable(message: str, path: Path) -> CkptActionError:
    return fail(
        ExitCode.OUTPUT,
        message,
        hint="Name the folder of an earlier export, or its manifest.json, or leave out the option.",
        where=Where(file=str(path)),
    )
