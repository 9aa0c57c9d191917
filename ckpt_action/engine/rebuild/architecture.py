"""Models whose architecture lies in the checkpoint's own file: `.keras` and whole-model `.h5`."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py

from ckpt_action.checkpoint.records import Kind, Writer
from ckpt_action.engine.rebuild.legacy_config import modernised
from ckpt_action.errors import CkptActionError, ExitCode, fail
from ckpt_action.plan import Job


def model_from_file(job: Job, keras: Any) -> Any:
    """The model that the checkpoint's file describes, made by `keras`, without its weights.

    Raises CkptActionError: CHECKPOINT where the file cannot be read, CONFIG where it holds no
    architecture, REBUILD where this Keras cannot make what it describes.
    """
    config = _read(job.checkpoint.path, job.checkpoint.kind)
    if job.model.safe_mode and _holds_code(config):
        raise fail(
            ExitCode.REBUILD,
            f"{job.checkpoint.path.name} holds a Lambda layer, which is Python code stored in the "
            "file.",
            hint="If you trust the file set `safe-mode = false`; better, name an `entry-point`.",
        )
    try:
        if job.checkpoint.kind is Kind.LEGACY_H5_MODEL:
            return _from_legacy(config, keras)
        config.pop("compile_config", None)  # no optimizer is wanted
        return keras.saving.deserialize_keras_object(config, safe_mode=job.model.safe_mode)
    except Exception as error:
        raise _cannot_make(job, keras, error) from error


def _from_legacy(config: dict[str, Any], keras: Any) -> Any:
    """The model of a `model_config`, whose classes are named without their modules."""
    if keras.__version__.startswith("3."):
        config = modernised(config)
    kind = {"Sequential": keras.Sequential}.get(config["class_name"], keras.Model)
    return kind.from_config(config["config"])


def _holds_code(config: Any) -> bool:
    """Whether a Lambda layer is anywhere in `config`; HDF5 files have no check of their own."""
    if isinstance(config, dict):
        return config.get("class_name") == "Lambda" or any(map(_holds_code, config.values()))
    return isinstance(config, list) and any(map(_holds_code, config))


def _read(path: Path, kind: Kind) -> dict[str, Any]:
    if kind is Kind.SAVED_MODEL:
        raise fail(
            ExitCode.CONFIG,
            f"{path.name} is a SavedModel: a finished graph, not code that can be traced anew.",
            hint="Name an `entry-point` to restore its variables into your model; as it stands it "
            "needs no export.",
        )
    readers: dict[Kind, Callable[[Path], str | bytes]] = {
        Kind.KERAS_ARCHIVE: _archive_config,
        Kind.LEGACY_H5_MODEL: _h5_config,
    }
    if kind not in readers:
        raise fail(
            ExitCode.CONFIG,
            f"{path.name} holds values only ({kind.value}), no architecture.",
            hint='Name the function that makes the model: `entry-point = "module:function"`.',
        )
    try:
        found = json.loads(readers[kind](path))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise fail(
            ExitCode.CHECKPOINT, f"the architecture in {path.name} cannot be read: {error}"
        ) from error
    if not isinstance(found, dict):
        raise fail(ExitCode.CHECKPOINT, f"the architecture in {path.name} is no JSON object.")
    return found


def _archive_config(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read("config.json")


def _h5_config(path: Path) -> str | bytes:
    with h5py.File(path, "r") as file:
        return file.attrs["model_config"]  # type: ignore[no-any-return]


def _cannot_make(job: Job, keras: Any, error: Exception) -> CkptActionError:
    cause = str(error).rsplit("Exception encountered: ", maxsplit=1)[-1]
    text = " ".join(cause.split("Full object config:")[0].split())
    hint = (
        "Name the modules that define its custom classes in `import` (registered with "
        "`@keras.saving.register_keras_serializable()`), or name an `entry-point`."
    )
    generation = {Writer.KERAS_2: "2", Writer.KERAS_3: "3"}.get(job.checkpoint.writer, "")
    if generation and not keras.__version__.startswith(generation):
        hint = f'Keras {generation} wrote the file: set `keras = "{generation}"`.'
        text = text.split(" Make sure custom classes")[0]  # which would lead astray
    return fail(
        ExitCode.REBUILD,
        f"Keras {keras.__version__} cannot make the model that {job.checkpoint.path.name} "
        f"describes: {text}",
        hint=hint,
    )
