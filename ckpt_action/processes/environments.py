"""The environments that children run in: which Keras, which variables, and what may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata, util
from pathlib import Path
from typing import Literal

from ckpt_action.checkpoint.records import Writer
from ckpt_action.errors import ExitCode, Problem
from ckpt_action.plan import Job
from ckpt_action.secret_names import is_secret

Environment = Literal["keras-3", "keras-2"]

_FIXED = {
    "KERAS_BACKEND": "tensorflow",
    # One thread is what makes forking after the import safe.
    "OPENBLAS_NUM_THREADS": "1",
    # Exports run on the CPU: the same bytes with and without a GPU in the machine.
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
}
# What a step writes into these files, later steps of the job take over, tokens in reach.
_FILE_COMMANDS = {
    "GITHUB_ENV",
    "GITHUB_PATH",
    "GITHUB_OUTPUT",
    "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
}
_FOLDERS = ("CKPT_ACTION_TFJS",)
"""Ours that name a folder, from where the command was called; children run elsewhere."""
INSTALL = {
    "tensorflow": "tensorflow",
    "keras": "tensorflow",
    "h5py": "tensorflow",
    "numpy": "tensorflow",
    "tf_keras": "keras-2",
    "ai_edge_litert": "tflite",
    "tf2onnx": "onnx",
    "onnx": "onnx",
    "onnxruntime": "onnx",
}
"""Module to the extra that brings it."""


def environments(job: Job) -> tuple[Environment, ...]:
    """Where to rebuild `job`, in the order to try.

    A file of Keras 2 goes to Keras 2 first where that is installed: the code means there what it
    meant when the model was trained. Layers that are all the user's own leave nothing in the file
    that tells of a Keras. A TensorFlow older than 2.16 has no other Keras.
    """
    if job.model.keras != "auto":
        return ("keras-2",) if job.model.keras == "2" else ("keras-3",)
    if keras_is_2():
        return ("keras-2",)
    installed = util.find_spec("tf_keras") is not None
    if job.checkpoint.writer is Writer.KERAS_2 and installed:
        return ("keras-2", "keras-3")
    code = job.model.entry_point is not None
    untold = {Writer.UNKNOWN, Writer.TENSORFLOW} if code else {Writer.UNKNOWN}
    if job.checkpoint.writer in untold and installed:
        return ("keras-3", "keras-2")
    return ("keras-3",)


def title(environment: Environment) -> str:
    """As people call it."""
    return {"keras-3": "Keras 3", "keras-2": "Keras 2"}[environment]


def variables(environment: Environment, environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` for a child: without secrets, without GitHub's file commands, Keras chosen.

    The user's code runs with these, so no token may be among them.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if not is_secret(name) and name not in _FILE_COMMANDS
    }
    kept |= {name: str(Path(kept[name]).absolute()) for name in _FOLDERS if kept.get(name)}
    legacy = environment == "keras-2" and not keras_is_2()
    return kept | _FIXED | {"TF_USE_LEGACY_KERAS": "1" if legacy else "0"}


def import_problem(error: ImportError) -> Problem:
    """An import of the tool itself that failed, with what to install."""
    name = (error.name or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and name in INSTALL:
        return Problem(
            code=ExitCode.ENVIRONMENT,
            message=f"{name} is not installed in the Python that runs ckpt-action.",
            hint=f'Install it with: pip install "ckpt-action[{INSTALL[name]}]"',
        )
    return Problem(
        code=ExitCode.ENVIRONMENT,
        message=f"{name or 'A library'} cannot be imported: {error}",
        hint='Reinstall with: pip install --force-reinstall "ckpt-action[tensorflow]"',
    )


def keras_is_2() -> bool:
    """Whether `keras` itself is Keras 2, as it is with TensorFlow 2.15."""
    try:
        return metadata.version("keras").startswith("2.")
    except metadata.PackageNotFoundError:
        return False
