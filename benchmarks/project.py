"""The repository that is exported from: builders, checkpoints and declarations, made once.

    python -m benchmarks.project FOLDER MODEL...

makes what is missing of the checkpoints, with random weights under which outputs react to inputs.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Spec = tuple[str, dict[str, Any]]
"""A builder in `models.py` and its arguments."""

LARGE: dict[str, Spec] = {
    "mobilenet-v2": ("mobilenet_v2", {}),
    "vgg16": ("vgg16", {}),
    "lstm": ("lstm", {}),
    "transformer": ("transformer", {}),
}
_SIZES = (16, 32, 64)
SMALL: dict[str, Spec] = {
    **{
        f"{name.lower()}-{size}-{round(100 * alpha)}": (
            "seeing",
            {"application": name, "alpha": alpha, "size": size},
        )
        for name, alphas in (("MobileNet", (0.25, 0.5)), ("MobileNetV2", (0.35, 0.5)))
        for alpha in alphas
        for size in (96, 128)
    },
    **{f"lstm-{units}": ("lstm", {"units": units}) for units in _SIZES},
    **{f"gru-{units}": ("gru", {"units": units}) for units in _SIZES},
    **{f"convolutions-{filters}": ("convolutions", {"filters": filters}) for filters in _SIZES},
    **{
        f"transformer-{4 * width}": (
            "transformer",
            {"width": 4 * width, "depth": 2, "vocabulary": 500},
        )
        for width in _SIZES
    },
}
"""Twenty of them."""
MODELS = LARGE | SMALL


def make_project(folder: Path, models: Sequence[str]) -> None:
    """`folder` with everything that exporting `models` needs."""
    folder.mkdir(parents=True, exist_ok=True)
    here = Path(__file__).parent
    for file in (here / "models.py", *(here / "scripts").glob("*.py")):
        shutil.copy(file, folder)
    missing = [
        name for name in models if not checkpoint(folder, name).with_suffix(".index").exists()
    ]
    if missing:
        command = [sys.executable, "-m", "benchmarks.project", str(folder), *missing]
        subprocess.run(command, check=True, cwd=here.parent)


def checkpoint(folder: Path, model: str) -> Path:
    """Its prefix."""
    return folder / "checkpoints" / model / "ckpt-1"


def declare(
    folder: Path,
    name: str,
    models: Sequence[str],
    targets: Sequence[str] = ("saved-model", "frozen-graph"),
) -> Path:
    """A configuration that exports `models`; returns its file."""
    # Random weights make outputs in which rounding passes the default where a value is near zero.
    lines = ["version = 1", "[defaults]", "verify = { atol = 1e-5 }"]
    lines.append(f"targets = {json.dumps(list(targets))}")
    for model in models:
        builder, arguments = MODELS[model]
        pairs = ", ".join(f"{key} = {json.dumps(value)}" for key, value in arguments.items())
        lines += [
            f"[models.{model}]",
            f'entry-point = "models:{builder}"',
            f"arguments = {{ {pairs} }}",
            f'checkpoints = ["checkpoints/{model}/ckpt-*"]',
        ]
    file = folder / f"{name}.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


def save(folder: Path, name: str) -> None:
    """Write the checkpoint of the model `name`."""
    import numpy as np
    import tensorflow as tf

    from benchmarks import models

    random = np.random.default_rng(0)
    builder, arguments = MODELS[name]
    model = getattr(models, builder)(**arguments)
    for weight in model.weights:
        weight.assign(_value(random, weight.name, tuple(weight.shape)))
    prefix = checkpoint(folder, name)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    tf.train.Checkpoint(model=model).save(str(prefix.with_name("ckpt")))


def _value(random: Any, name: str, shape: tuple[int, ...]) -> Any:
    """Matrices scaled as by He, so that signals neither vanish nor explode on their way."""
    if len(shape) > 1:
        fan_in = shape[0] if len(shape) == 2 else max(_product(shape[:-1]), 1)
        fan_in = shape[0] * shape[1] if "depthwise" in name else fan_in
        return (2 / fan_in) ** 0.5 * random.standard_normal(shape, dtype="float32")
    if name in ("gamma", "moving_variance"):
        return random.uniform(0.5, 1.5, shape)
    return random.uniform(-0.1, 0.1, shape)


def _product(sizes: Sequence[int]) -> int:
    result = 1
    for size in sizes:
        result *= size
    return result


if __name__ == "__main__":
    for model in sys.argv[2:]:
        save(Path(sys.argv[1]), model)
