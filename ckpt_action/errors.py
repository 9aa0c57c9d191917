"""What can go wrong: one exit code per cause, one record for every message."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import Enum, IntEnum


class ExitCode(IntEnum):
    """Exit codes of every verb; among several failures the gravest is returned.

    The order is the order of gravity, apart from `UNEXPECTED`, which is always the gravest.
    """

    OK = 0
    UNEXPECTED = 1
    """A defect of ckpt-action itself; the message is a block ready to paste into an issue."""
    USAGE = 2
    """The command line cannot be understood."""
    CONFIG = 3
    """`model-export.toml` is not valid, or names something that does not exist."""
    ENVIRONMENT = 4
    """Something that has to be installed is missing or of an unsupported version."""
    OUTPUT = 5
    """The output folder cannot be written or read."""
    RELEASE = 6
    """The artifacts could not be attached to the release."""
    CHECKPOINT = 7
    """A checkpoint is missing, incomplete, damaged or of a kind that cannot be read."""
    REBUILD = 8
    """The entry point failed, or returned something that is no model."""
    SIGNATURE = 9
    """A signature cannot be traced as declared."""
    TARGET = 10
    """The model cannot be written in the format asked for."""
    GATE = 11
    """An artifact is right but breaks a declared limit (`max-size`, ...)."""
    CRASH = 12
    """A child process crashed, was killed, ran out of memory or out of time."""
    RESTORE = 13
    """Model and checkpoint do not fit each other completely."""
    VERIFY = 14
    """An artifact or the rebuilt model does not compute what it should."""


def gravest(codes: Iterable[ExitCode]) -> ExitCode:
    """The exit code of a run that met all of `codes`; `OK` where there are none."""
    found = set(codes)
    if ExitCode.UNEXPECTED in found:
        return ExitCode.UNEXPECTED
    return max(found, default=ExitCode.OK)


class Severity(str, Enum):
    """How much a problem weighs: only an error changes the exit code."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, kw_only=True)
class Where:
    """A place in a file. Lines and columns count from 1, columns in characters; None is unknown."""

    file: str
    line: int | None = None
    column: int | None = None
    key_path: str | None = None
    """TOML key path as a person writes it: `models.digits.targets[0].format`."""

    def __str__(self) -> str:
        place = self.file
        if self.line is not None:
            place += f":{self.line}"
            if self.column is not None:
                place += f":{self.column}"
        return f"{place} ({self.key_path})" if self.key_path else place


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing a person has to know: what happened, where, and what to do."""

    code: ExitCode
    message: str
    """What happened and, where known, why: one or two plain sentences."""
    hint: str = ""
    """What to do about it."""
    where: Where | None = None
    severity: Severity = Severity.ERROR
    details: tuple[str, ...] = ()
    """Further lines for the full report: a table of mismatches, the end of a log."""

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} {self.hint}" if self.hint else text


def exit_code(problems: Iterable[Problem]) -> ExitCode:
    """The gravest of the errors among `problems`; `OK` where there are none."""
    return gravest(problem.code for problem in problems if problem.is_error)


class CkptActionError(Exception):
    """Stops a stage; carries every problem that the stage found, never just the first."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class CompleteRefusalError(CkptActionError):
    """Says all that a library printed of the same matter, so that nobody has to read that too."""


def raise_errors(problems: Collection[Problem]) -> None:
    """Raise CkptActionError with all of `problems` where one of them is an error."""
    if any(problem.is_error for problem in problems):
        raise CkptActionError(*problems)


def first_line(error: BaseException) -> str:
    """What an exception says first; its type's name where it says nothing."""
    lines = (line.strip() for line in str(error).splitlines())
    return next(filter(None, lines), type(error).__name__)


def fail(
    code: ExitCode,
    message: str,
    *,
    hint: str = "",
    where: Where | None = None,
    details: Iterable[str] = (),
) -> CkptActionError:
    """An error with one problem: `raise fail(ExitCode.RESTORE, "...", hint="...")`."""
    return CkptActionError(
        Problem(code=code, message=message, hint=hint, where=where, details=tuple(details))
    )


def warning(
    code: ExitCode,
    message: str,
    *,
    hint: str = "",
    where: Where | None = None,
    details: Iterable[str] = (),
) -> Problem:
    """What somebody should look at, and what changes no exit code."""
    return Problem(
        code=code,
        severity=Severity.WARNING,
        message=message,
        hint=hint,
        where=where,
        details=tuple(details),
    )


def note(
    code: ExitCode,
    message: str,
    *,
    hint: str = "",
    where: Where | None = None,
    details: Iterable[str] = (),
) -> Problem:
    """What is worth knowing, and asks for nothing."""
    told = warning(code, message, hint=hint, where=where, details=details)
    return replace(told, severity=Severity.NOTE)
