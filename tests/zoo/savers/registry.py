"""What a way of saving is: a function that writes files and says where they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
from architectures import Architecture


@dataclass(frozen=True)
class Subject:
    """A filled model that is to be saved."""

    architecture: Architecture
    model: Any
    folder: Path
    """Empty, and the saver's own."""
    keras: Any
    """The Keras that the model was written with."""


@dataclass(frozen=True)
class Saved:
    """Where the checkpoint is, and what one has to declare to get this model out of it."""

    checkpoint: str
    """Relative to the folder."""
    root: str | None = None
    weights: str = "raw"
    from_file: bool = False
    """The architecture is read from the file: no entry point."""
    refuse: str = ""
    """Why no environment may restore it; empty where it can be restored."""


class CannotSaveError(Exception):
    """This world or model has no such file; the message is the reason of the hole."""


@dataclass(frozen=True)
class Saver:
    name: str
    save: Callable[[Subject], Saved]
    kerases: tuple[int, ...]
    modules: bool
    """Plain `tf.Module`s can be saved so too."""
    wide: bool
    """Applied to every architecture; else only to those of SPECIAL."""


SAVERS: dict[str, Saver] = {}

SPECIAL = frozenset(
    {
        "attention",
        "bare_variables",
        "block_model",
        "char_rnn",
        "cnn",
        "cvae",
        "dense",
        "equal_branches",
        "layer_list",
        "mlp",
        "nested_modules",
        "pinn",
        "residual",
        "standalone_dense",
    }
)
"""The architectures that every way of saving is tried on."""


def saver(
    *,
    kerases: tuple[int, ...] = (2, 3),
    modules: bool = False,
    wide: bool = False,
) -> Callable[[Callable[[Subject], Saved]], Callable[[Subject], Saved]]:
    def enter(save: Callable[[Subject], Saved]) -> Callable[[Subject], Saved]:
        SAVERS[save.__name__] = Saver(save.__name__, save, kerases, modules, wide)
        return save

    return enter


def applies(entry: Saver, architecture: Architecture, keras_major: int) -> bool:
    fits = entry.modules if architecture.module_only else keras_major in entry.kerases
    return fits and (entry.wide or architecture.name in SPECIAL)


def tf_version() -> tuple[int, int]:
    major, minor = tf.__version__.split(".")[:2]
    return int(major), int(minor)
