"""Packs a covering part of the whole zoo into `data/<world>.zip`, with stable bytes.

    python tests/zoo/pack.py build/zoo

Every way of saving meets a few architectures, every architecture the main ways of saving, and
every world at least the ways that it has of its own.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

DATA = Path(__file__).resolve().parent / "data"

EVERY_SAVER = {
    "tf213-keras2": {"dense"},
    "tf215-keras2": {"dense", "block_model", "bare_variables"},
    "tf216-keras3": {"dense"},
    "tf216-tfkeras": set(),
    "tf218-keras3": set(),
    "tf221-keras3": {"dense", "layer_list", "nested_modules"},
    "tf221-tfkeras": {"dense"},
}
EVERY_ARCHITECTURE = {
    "tf213-keras2": {"weights_h5"},
    "tf215-keras2": {"save_weights", "h5_weights"},
    "tf216-keras3": set(),
    "tf216-tfkeras": set(),
    "tf218-keras3": {"keras_archive_alone"},
    "tf221-keras3": {"checkpoint_model", "with_optimizer", "weights_h5"},
    "tf221-tfkeras": set(),
}
ALWAYS = {"dense", "attention", "char_rnn"}
"""Architectures whose main ways of saving are packed from each world."""
MAIN = {"save_weights", "checkpoint_model", "checkpoint_root", "weights_h5", "keras_archive"}
BESIDES = {
    ("tf215-keras2", "hard_sigmoid", "weights_h5"),
    ("tf215-keras2", "stateful_text", "weights_h5"),
    ("tf215-keras2", "growing_tables", "checkpoint_model"),
    ("tf215-keras2", "growing_layer", "weights_h5"),
    ("tf215-keras2", "adapted_lookup", "keras_archive_alone"),
    ("tf221-keras3", "adapted_lookup", "keras_archive_alone"),
}
TOO_LARGE = {"saved_model", "keras_saved_model", "exported"}
"""Packed for `dense`, `mlp` and `bare_variables` alone: a SavedModel is mostly its graph."""


def main(zoo: Path) -> None:
    for world in sorted(EVERY_SAVER):
        chosen = [f.parent for f in sorted((zoo / world).rglob("case.json")) if _wanted(f, world)]
        pack(zoo / world, chosen, DATA / f"{world}.zip")
        print(f"{world}: {len(chosen)} cases, {(DATA / f'{world}.zip').stat().st_size:,} bytes")


def _wanted(file: Path, world: str) -> bool:
    case = json.loads(file.read_text(encoding="utf-8"))
    architecture, saver = case["architecture"], case["saver"]
    if architecture == "tf1":
        return world in ("tf215-keras2", "tf221-keras3")
    if saver in TOO_LARGE and architecture not in ("dense", "mlp", "bare_variables"):
        return False
    return (
        architecture in EVERY_SAVER[world]
        or saver in EVERY_ARCHITECTURE[world]
        or (architecture in ALWAYS and saver in MAIN)
        or (world, architecture, saver) in BESIDES
    )


def pack(root: Path, folders: list[Path], archive: Path) -> None:
    files = {file for folder in folders for file in folder.rglob("*") if file.is_file()}
    files |= {file for folder in folders for file in folder.parent.glob("golden*.npz")}
    files |= set(root.glob("*/holes.json"))
    archive.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for file in sorted(files):
            entry = zipfile.ZipInfo(file.relative_to(root).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, file.read_bytes())


def unpack(folder: Path) -> list[Path]:
    """All packed worlds below `folder`; returns the paths of the case files, sorted."""
    for archive in sorted(DATA.glob("*.zip")):
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder / archive.stem)
    return sorted(folder.rglob("case.json"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
