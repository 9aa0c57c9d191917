"""Artifacts that TensorFlow cannot read or run: errors for a person, as findings of verify."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from ckpt_action.errors import CkptActionError, ExitCode, Where, fail


@contextmanager
def finding(doing: str, path: Path, *more: type[Exception]) -> Iterator[None]:
    """Turn what TensorFlow and protobuf raise for bad files, and `more` that another runtime
    raises, into CkptActionError (VERIFY).

    `doing` completes "The artifact cannot be ...".
    """
    try:
        yield
    except (CkptActionError, MemoryError):
        raise
    except (DecodeError, OSError, ValueError, tf.errors.OpError, *more) as error:
        reason = getattr(error, "message", None) or str(error) or type(error).__name__
        lines = [line.strip() for line in reason.splitlines() if line.strip()]
        raise fail(
            ExitCode.VERIFY,
            f"The artifact cannot be {doing}: {_cause(lines)}",
            hint="Export the model again; if this returns, the model does not survive the format.",
            where=Where(file=str(path)),
            details=lines,
        ) from error


def _cause(lines: list[str]) -> str:
    """The line that says what went wrong.

    An error of a graph has a heading, and may say at length where the node was made; its cause
    follows `Node: '...'` then.
    """
    for number, line in enumerate(lines[:-1]):
        if line.startswith("Node: "):
            return lines[number + 1]
    return lines[1] if lines[0].startswith("Graph execution error") and lines[1:] else lines[0]
