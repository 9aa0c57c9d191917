"""How unreadable checkpoint files become problems: one place for the words."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ckpt_action.checkpoint.wire import MalformedError
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Where, fail

AGAIN = "Copy or save the checkpoint again."


@contextmanager
def reading(file: Path, key: str = "") -> Iterator[None]:
    """Turn what goes wrong while `file` is read into a CHECKPOINT problem that names it."""
    value = f" at {key!r}" if key else ""
    try:
        yield
    except MalformedError as error:
        raise broken(file, f"{file.name} is damaged{value}: {error}.", AGAIN) from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise broken(
            file, f"{file.name} is damaged{value}: its JSON cannot be read.", AGAIN
        ) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise broken(file, f"{file.name} is damaged{value}: {error}.", AGAIN) from None
    except FileNotFoundError:
        raise broken(file, f"{file.name} is missing.", "") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise broken(file, f"{file.name} cannot be read{value}: {reason}.", AGAIN) from None


def broken(file: Path, message: str, hint: str) -> CkptActionError:
    return fail(ExitCode.CHECKPOINT, message, hint=hint, where=Where(file=str(file)))


def problem(file: Path, message: str, hint: str, details: tuple[str, ...] = ()) -> Problem:
    return Problem(
        code=ExitCode.CHECKPOINT,
        message=message,
        hint=hint,
        where=Where(file=str(file)),
        details=details,
    )
