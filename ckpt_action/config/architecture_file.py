"""A Keras architecture in a file beside weights, and the code that builds the model of it."""

from __future__ import annotations

import json
from pathlib import Path

from ckpt_action.checkpoint.records import CheckpointFiles

_LARGEST = 1 << 24


def builder(checkpoint: CheckpointFiles, folder: Path) -> tuple[str, ...]:
    """Lines for a person whose weights lie beside what `model.to_json()` wrote; else none.

    `folder`: from where the entry point will run.
    """
    found = sorted(f for f in checkpoint.path.parent.glob("*.json") if _is_architecture(f))
    if len(found) != 1:
        return ()
    (file,) = found
    shown = (file.relative_to(folder) if file.is_relative_to(folder) else file).as_posix()
    return (
        f"{file.name} beside it says how; a module with these lines builds the model:",
        "  import tensorflow as tf",
        "  def build():",
        f"      return tf.keras.models.model_from_json(open({json.dumps(shown)}).read())",
    )


def _is_architecture(file: Path) -> bool:
    try:
        if file.stat().st_size > _LARGEST:
            return False
        data = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(data, dict) and {"class_name", "config"} <= data.keys()
