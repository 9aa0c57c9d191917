"""Artifacts that TensorFlow cannot read or run: errors for a person, as findings of verify."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from ckpt_action.errors import ExitCode, Where, fail


@contextmanager
def finding(doing: str, path: Path) -> Iterator[None]:
    """Turn what TensorFlow and protobuf raise for bad files into CkptActionError (VERIFY).

    `doing` completes "The artifact cannot be ...".
    """
    try:
        yield
    except (DecodeError, OSError, ValueError, tf.errors.OpError) as error:
        reason = getattr(error, "message", None) or str(error) or type(error).__name__
        lines = reason.splitlines()
        raise fail(
            ExitCode.VERIFY,
            f"The artifact cannot be {doing}: {lines[0]}",
            hint="Export the model again; if this returns, the model does not survive the format.",
            where=Where(file=str(path)),
            details=lines[1:],
        ) from error
