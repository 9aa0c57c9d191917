"""Strict restore: every variable of the model gets exactly one value of the checkpoint."""

from __future__ import annotations

from ckpt_action.engine.restore.restore import restore

__all__ = ["restore"]
