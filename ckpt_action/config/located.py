"""Places in the configuration for problems that were found after it had been read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ckpt_action.config.records import Model
from ckpt_action.config.wording import key_text
from ckpt_action.errors import Problem, Where

if TYPE_CHECKING:
    from ckpt_action.config.positions import Positions


GOLDEN_KEY = "verify.golden"
"""As the key path of a problem with a golden file: whoever reads the file knows no more."""


def located(problems: Iterable[Problem], file: Path) -> tuple[Problem, ...]:
    """`problems` with line and column where they name a key of `file` and no place in it."""
    found = tuple(problems)
    if not any(_lacks_place(problem, file) for problem in found):
        return found
    from ckpt_action.config.positions import Positions

    try:
        positions = Positions(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return found
    return tuple(_placed(p, positions) if _lacks_place(p, file) else p for p in found)


def of_signatures(problems: Iterable[Problem], model: Model, file: Path) -> tuple[Problem, ...]:
    """`problems`, those that speak of a declared signature or the golden file at its key in `file`.

    Only errors: the manifest keeps the others, and holds no path that depends on who exports.
    """
    keys = {
        signature.name: f"signatures.{key_text(signature.name)}" for signature in model.signatures
    }
    return located((_at_signature(problem, model, keys, file) for problem in problems), file)


def of_target(
    problems: Iterable[Problem], name: str, model: Model, file: Path
) -> tuple[Problem, ...]:
    """`problems` of the artifact of the target `name`: errors say so, and stand at its key in
    `file` where they had no place. The others stay as they are, as in `of_signatures`."""
    (index,) = (i for i, target in enumerate(model.targets) if target.name == name)
    where = Where(file=file.as_posix(), key_path=f"models.{key_text(model.name)}.targets[{index}]")
    return located((_at_target(p, name, where) if p.is_error else p for p in problems), file)


def _at_target(problem: Problem, name: str, where: Where) -> Problem:
    said = repr(name) in problem.message
    message = problem.message if said else f"Target {name!r}: {problem.message}"
    return replace(problem, message=message, where=problem.where or where)


def _at_signature(problem: Problem, model: Model, keys: Mapping[str, str], file: Path) -> Problem:
    if problem.where and problem.where.key_path == GOLDEN_KEY:
        path = f"models.{key_text(model.name)}.{GOLDEN_KEY}"
        return replace(problem, where=Where(file=file.as_posix(), key_path=path))
    if problem.where or not problem.is_error:
        return problem
    named = re.match(r"signature (.+?):? ", problem.message)
    found = keys.get(named[1]) if named else None
    text = f"{problem.message} {problem.hint}"
    longer = (re.search(rf"`({re.escape(key)}\.[^`]+)`", text) for key in keys.values())
    key = next((match[1] for match in longer if match), found)
    if key is None:
        return problem
    where = Where(file=file.as_posix(), key_path=f"models.{key_text(model.name)}.{key}")
    return replace(problem, where=where)


def _lacks_place(problem: Problem, file: Path) -> bool:
    where = problem.where
    if where is None or not where.key_path or where.line is not None:
        return False
    return Path(where.file).absolute() == file.absolute()


def _placed(problem: Problem, positions: Positions) -> Problem:
    assert problem.where
    line, column = positions.named(problem.where.key_path or "")
    return replace(problem, where=replace(problem.where, line=line, column=column))
