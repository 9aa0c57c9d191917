"""Config and files in, a Plan of Jobs out: what would be exported, from which files to which."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ckpt_action.checkpoint.records import CheckpointFiles
from ckpt_action.config.records import Config, Model
from ckpt_action.errors import Problem


@dataclass(frozen=True, kw_only=True)
class Job:
    """One model from one checkpoint, all its targets."""

    name: str
    """Folder in the output: `<model>`, or `<model>@<step>` where several are exported."""
    model: Model
    checkpoint: CheckpointFiles
    python_path: tuple[Path, ...]
    folder: Path
    """Folder of the configuration file; the child's working directory."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything one run would do, in the order of the configuration."""

    config: Config
    jobs: tuple[Job, ...]
    problems: tuple[Problem, ...] = ()
    """Models whose checkpoints cannot be exported, and warnings; the jobs go on without them."""
