"""A repository with many tiny models, of which one cannot be rebuilt."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.github.local_runner import ROOT

CHECKPOINT = ROOT / "tests" / "checkpoint" / "data" / "widths"
CODE = """\
import tensorflow as tf


class Scale(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.zeros([16]))

    def __call__(self, x):
        return x * self.w


def broken():
    raise ValueError("no such layer")
"""


def write_models(folder: Path, count: int, broken: int) -> Path:
    """`m00`, `m01`, ...; the one of number `broken` fails while it is rebuilt."""
    folder.mkdir()
    (folder / ".git").mkdir()
    (folder / "models.py").write_text(CODE)
    shutil.copytree(CHECKPOINT, folder / "runs")
    tables = ["version = 1", '[defaults]', 'targets = ["saved-model"]', 'checkpoints = ["CKPT"]',
              '[defaults.signatures.serving_default]',
              'inputs = { x = { dtype = "float32", shape = ["batch", 16] } }']  # fmt: skip
    for number in range(count):
        name = "broken" if number == broken else "Scale"
        tables += [f"[models.m{number:02}]", f'entry-point = "models:{name}"']
    (folder / "model-export.toml").write_text("\n".join(tables).replace("CKPT", "runs/model-16"))
    return folder
