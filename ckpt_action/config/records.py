"""What a `model-export.toml` says, as frozen records. Nothing here is parsed a second time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

DEFAULT_SIGNATURE = "serving_default"

Dimension = int | str
"""A fixed size, or the name of a free dimension; the same name means the same size."""


@dataclass(frozen=True, kw_only=True)
class EntryPoint:
    """`module:attribute`, called with `arguments`, returns the model without its weights."""

    module: str
    attribute: str
    arguments: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.module}:{self.attribute}"


@dataclass(frozen=True, kw_only=True)
class InputSpec:
    """One named input of a signature."""

    name: str
    dtype: str
    """TensorFlow's name: `float32`, `int64`, `string`, ..."""
    shape: tuple[Dimension, ...]
    tensor: str | None = None
    """TF1 only: the tensor in the graph that is fed, as `Placeholder:0`."""


@dataclass(frozen=True, kw_only=True)
class OutputSpec:
    """One named output of a signature."""

    name: str
    tensor: str | None = None
    """TF1 only: the tensor in the graph that is fetched."""


@dataclass(frozen=True, kw_only=True)
class Signature:
    """One callable surface of the exported model."""

    name: str
    method: str = "__call__"
    inputs: tuple[InputSpec, ...]
    outputs: tuple[OutputSpec, ...] = ()
    """Empty: the keys of the returned dict, or the names that the model gives its outputs."""
    constants: Mapping[str, object] = field(default_factory=dict)
    """TF1 only: tensors that are fed with a fixed value and baked in."""


@dataclass(frozen=True, kw_only=True)
class Restore:
    """How the values of the checkpoint find the variables of the model."""

    root: str | None = None
    weights: Literal["raw", "ema"] = "raw"
    allow_missing: tuple[str, ...] = ()
    allow_unused: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TargetSpec:
    """One artifact to write: a format of the registry, under a name, with the format's options."""

    format: str
    name: str
    options: Mapping[str, object] = field(default_factory=dict)
    """Keys that the target's own module declares, as written (kebab-case)."""
    max_size: int | None = None
    """Bytes; a larger artifact fails."""
    max_gzip_size: int | None = None
    """Bytes, of all files compressed; a larger artifact fails."""
    max_latency: float | None = None
    """Seconds that one call may take in the format's runtime."""
    min_agreement: float | None = None
    """Part of the rows in which artifact and model must choose the same class."""


@dataclass(frozen=True, kw_only=True)
class Verify:
    """How the rebuilt model and each artifact are proven."""

    golden: Path | None = None
    """Absolute path of an `.npz` with `in_<input>` and `out_<output>` arrays."""
    samples: int = 4
    seed: int = 0
    rtol: float | None = None
    atol: float | None = None
    """None: the defaults of the comparison at hand (see `ckpt_action.verify`)."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """One `[models.<name>]` table with `[defaults]` applied."""

    name: str
    entry_point: EntryPoint | None
    checkpoints: tuple[str, ...]
    select: Literal["latest", "all"] | int = "latest"
    keras: Literal["auto", "3", "2"] = "auto"
    op_libraries: tuple[Path, ...] = ()
    imports: tuple[str, ...] = ()
    restore: Restore = field(default_factory=Restore)
    signatures: tuple[Signature, ...] = ()
    """Empty: derived from a functional or sequential Keras model."""
    targets: tuple[TargetSpec, ...]
    verify: Verify = field(default_factory=Verify)
    safe_mode: bool = True
    """False lets a `.keras` file bring Python code in Lambda layers."""
    lazy_init: bool = True
    """False runs the random initialisers although the checkpoint overwrites their values."""
    timeout: float = 1800.0
    """Seconds that exporting, and verifying, this model may take."""

    def target(self, name: str) -> TargetSpec:
        """Raises StopIteration where it declares no such target."""
        return next(target for target in self.targets if target.name == name)


@dataclass(frozen=True, kw_only=True)
class Config:
    """One whole `model-export.toml`."""

    file: Path
    """Absolute."""
    output_dir: Path
    """Absolute, inside the folder of `file`'s repository."""
    python_path: tuple[Path, ...]
    """Absolute folders put on `sys.path` for entry points."""
    models: tuple[Model, ...]

    @property
    def folder(self) -> Path:
        """What relative paths and globs start from."""
        return self.file.parent
