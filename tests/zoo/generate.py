"""Run with the interpreter of one world: writes its checkpoints, golden files and case.json.

`<out>/<world>/<architecture>/golden*.npz` and `<out>/<world>/<architecture>/<saver>/`.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import io
import json
import os
import shutil
import traceback
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import tensorflow as tf
import tf1
import zoo_models as models
from architectures import ARCHITECTURES, Architecture
from savers import SAVERS, SPECIAL, CannotSaveError, Saved, Saver, Subject, applies


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--special", action="store_true", help="the architectures of SPECIAL only")
    parser.add_argument("--architectures", nargs="*")
    parser.add_argument("--savers", nargs="*", default=list(SAVERS))
    parser.add_argument("--debug", action="store_true", help="show why a file was not written")
    options = parser.parse_args()
    tf.get_logger().setLevel("ERROR")
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    world = options.out / options.world
    savers = [SAVERS[name] for name in options.savers]
    every = SPECIAL if options.special else ARCHITECTURES
    for name in sorted(options.architectures or every):
        with contextlib.redirect_stdout(io.StringIO()):
            holes = generate(ARCHITECTURES[name], savers, world, options.debug)
        _write_holes(world / name, holes)
        gc.collect()
    _write_holes(world / "tf1", tf1.generate(world, versions()))
    return 0


def _write_holes(folder: Path, holes: list[dict[str, str]]) -> None:
    """What this world could not write, and why."""
    if holes:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(holes, indent=1) + "\n"
        (folder / "holes.json").write_text(text, encoding="utf-8")


def versions() -> dict[str, str]:
    legacy = os.environ.get("TF_USE_LEGACY_KERAS") == "1"
    keras = importlib.import_module("tf_keras" if legacy else "keras")
    return {"tensorflow": tf.__version__, "keras": keras.__version__}


def keras_of(architecture: Architecture) -> Any:
    if architecture.standalone:
        import keras

        return keras
    return tf.keras


def generate(
    architecture: Architecture, savers: list[Saver], world: Path, debug: bool = False
) -> list[dict[str, str]]:
    """All files of one architecture; returns what could not be written, and why."""
    if architecture.standalone and os.environ.get("TF_USE_LEGACY_KERAS") == "1":
        return []
    keras = keras_of(architecture)
    folder = world / architecture.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    holes = []
    for entry in savers:
        major = int(versions()["keras"].split(".")[0])
        if not applies(entry, architecture, major):
            continue
        keras.backend.clear_session()
        model = models.build(architecture)
        models.fill(model)
        if not (folder / models.GOLDEN_NAMES[0]).exists():
            models.write_golden(architecture, model, folder)
        subject = Subject(architecture, model, folder / entry.name, keras)
        subject.folder.mkdir()
        try:
            saved = entry.save(subject)
        except CannotSaveError as error:
            reason = str(error)
        except Exception as error:
            reason = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:160]}"
            if debug:
                traceback.print_exc()
        else:
            write_case(subject, saved, world.name)
            continue
        shutil.rmtree(subject.folder)
        holes.append({"architecture": architecture.name, "saver": entry.name, "reason": reason})
    return holes


def write_case(subject: Subject, saved: Saved, world: str) -> None:
    architecture, folder = subject.architecture, subject.folder
    own = (folder / models.GOLDEN_NAMES[0]).exists()
    case = {
        "world": world,
        **versions(),
        "architecture": architecture.name,
        "saver": folder.name,
        "entry_point": None if saved.from_file else architecture.entry_point,
        "method": architecture.method,
        "checkpoint": saved.checkpoint,
        "root": saved.root,
        "weights": saved.weights,
        "inputs": {
            name: {"dtype": spec.dtype, "shape": list(spec.shape)}
            for name, spec in architecture.inputs.items()
        },
        "goldens": [name if own else f"../{name}" for name in models.GOLDEN_NAMES],
        "refuse": saved.refuse,
    }
    (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
