"""What the checks of one artifact have found so far."""

from __future__ import annotations

from collections.abc import Mapping

from ckpt_action.errors import ExitCode, Problem
from ckpt_action.outcome import OutputVerdict, Proof

NOT_TO_BE_USED = "It must not be used."


class Findings:
    """Proofs, verdicts and problems, filled by one check after the other."""

    def __init__(self, name: str, unproven: Mapping[str, str], *, fresh: bool) -> None:
        """`unproven`: proofs that are not asked for, and why; `fresh`: it is being exported."""
        self.who = f"Artifact {name!r}"
        self.proofs: list[Proof] = []
        self.verdicts: list[OutputVerdict] = []
        self.problems: list[Problem] = []
        self._unproven = unproven
        self._fresh = fresh

    @property
    def failed(self) -> bool:
        """Whether any of the checks so far found an error."""
        return any(problem.is_error for problem in self.problems)

    def fail(self, what: str, hint: str = "") -> None:
        changed = "" if self._fresh else "If it was changed after the export, export it again."
        self.problems.append(
            Problem(
                code=ExitCode.VERIFY,
                message=f"{self.who} {what}.",
                hint=f"{NOT_TO_BE_USED} {hint or changed}".strip(),
            )
        )

    def prove(self, name: str, before: int, detail: str) -> None:
        """`before`: how many problems there were when this check began. A warning fails nothing,
        and what it is about was not shown."""
        told = self.problems[before:]
        if told and not any(problem.is_error for problem in told):
            self.leave_open(name, f"{detail}: see the warning")
            return
        self.proofs.append(Proof(name=name, passed=not told, detail=detail))

    def leave_open(self, name: str, detail: str) -> None:
        """Neither shown nor wrong."""
        self.proofs.append(Proof(name=name, passed=None, detail=detail))

    def is_excused(self, name: str) -> bool:
        """Whether the proof is not asked for; then it says why."""
        reason = self._unproven.get(name)
        if reason is not None:
            self.leave_open(name, reason)
        return reason is not None
