"""Find the function that makes the model in the user's module, and call it."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ckpt_action.config.records import EntryPoint
from ckpt_action.engine.rebuild.eager import check_eager
from ckpt_action.engine.rebuild.user_modules import exited, import_module, module_not_found
from ckpt_action.engine.user_code import describe_error
from ckpt_action.errors import CkptActionError, ExitCode, fail


def make_model(entry_point: EntryPoint, roots: Sequence[Path]) -> Any:
    """What the entry point returns, unchecked.

    Raises CkptActionError: CONFIG where name or arguments do not fit, ENVIRONMENT where a package
    is missing, REBUILD where the user's code fails.
    """
    module = import_module(entry_point.module, roots)
    check_eager(roots)
    factory = _find(module, entry_point)
    _check_arguments(factory, entry_point)
    try:
        return factory(**entry_point.arguments)
    except CkptActionError:
        raise
    except SystemExit as error:
        raise exited(f"entry point {entry_point}", error, roots) from error
    except ModuleNotFoundError as error:
        raise module_not_found(entry_point.module, error, roots) from error
    except BaseException as error:
        check_eager(roots)
        text, where, details = describe_error(error, roots)
        raise fail(
            ExitCode.REBUILD,
            f"entry point {entry_point} raised {text}",
            hint="The entry point has to make the model on a machine without the training data.",
            where=where,
            details=details,
        ) from error


def _find(module: Any, entry_point: EntryPoint) -> Callable[..., Any]:
    found = module
    for part in entry_point.attribute.split("."):
        if not hasattr(found, part):
            near = difflib.get_close_matches(part, dir(found), n=3)
            raise fail(
                ExitCode.CONFIG,
                f"{entry_point.module} has no `{part}` (entry-point {entry_point}).",
                hint=f"Did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else "",
            )
        found = getattr(found, part)
    if not (inspect.isroutine(found) or inspect.isclass(found) or _is_wrapped_function(found)):
        raise fail(
            ExitCode.CONFIG,
            f"entry-point {entry_point} is an object of type {type(found).__name__}, "
            "not a function that makes the model.",
            hint="Write a function that returns it: "
            f"`def build(): return {entry_point.attribute}`.",
        )
    return found  # type: ignore[no-any-return]


def _is_wrapped_function(found: object) -> bool:
    """A function behind `functools.partial`, `functools.cache` or another decorator."""
    return callable(getattr(found, "func", None)) or callable(getattr(found, "__wrapped__", None))


def _check_arguments(factory: Callable[..., Any], entry_point: EntryPoint) -> None:
    try:
        signature = inspect.signature(factory)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(**entry_point.arguments)
    except TypeError as error:
        raise fail(
            ExitCode.CONFIG,
            f"entry point {entry_point} cannot be called with "
            f"arguments = {{{', '.join(entry_point.arguments)}}}: {error}.",
            hint=f"Its signature is {entry_point.attribute}{signature}.",
        ) from error
