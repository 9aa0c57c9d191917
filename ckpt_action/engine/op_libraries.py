"""Custom ops: shared libraries that register kernels, loaded before the model and its artifacts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf

from ckpt_action.errors import CkptActionError, ExitCode, Problem


def load_op_libraries(libraries: Iterable[Path]) -> None:
    """Load every library into this process; loading one twice is harmless.

    Raises CkptActionError (ENVIRONMENT) naming each library that does not load, and why.
    """
    problems = [problem for library in libraries if (problem := _load(library)) is not None]
    if problems:
        raise CkptActionError(*problems)


def _load(library: Path) -> Problem | None:
    if not library.is_file():
        return Problem(
            code=ExitCode.ENVIRONMENT,
            message=f"op library {library} does not exist.",
            hint="Build it before the export, or correct `op-libraries`.",
        )
    try:
        tf.load_op_library(str(library))
    except (tf.errors.OpError, OSError, RuntimeError) as error:
        reason = getattr(error, "message", None) or str(error)
        return Problem(
            code=ExitCode.ENVIRONMENT,
            message=f"op library {library.name} cannot be loaded into TensorFlow {tf.__version__}: "
            f"{_explain(reason)}",
            hint=_remedy(reason),
            details=(str(library), *reason.splitlines()),
        )
    return None


def _explain(reason: str) -> str:
    if "undefined symbol" in reason or "Symbol not found" in reason:
        return "it was compiled against another TensorFlow (a symbol it needs is missing)."
    if "already" in reason and "regist" in reason:
        return "it registers an op that TensorFlow or another library already has."
    if "invalid ELF header" in reason or "file too short" in reason or "wrong ELF" in reason:
        return "the file is no shared library for this machine."
    return reason.splitlines()[0] if reason else "the loader gave no reason."


def _remedy(reason: str) -> str:
    if "already" in reason and "regist" in reason:
        return "List the library once, or drop it if this TensorFlow ships the op."
    if "cannot open shared object" in reason:
        return "Install the library that it depends on."
    return (
        f"Rebuild it against TensorFlow {tf.__version__} with the flags of "
        "`tf.sysconfig.get_compile_flags()` and `tf.sysconfig.get_link_flags()`, "
        "or install the TensorFlow that it was built for."
    )
