"""Runs requests in child processes, some at once, and outlives whatever happens in them.

The parent never imports TensorFlow. Each environment gets one server process, started with the
first request for it (see `engine/server.py`); where the server cannot fork, each request gets a
fresh interpreter, and `notes` say so.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ckpt_action.codec import from_data
from ckpt_action.errors import CkptActionError, ExitCode, Problem, fail, note
from ckpt_action.processes.children import CannotFork, ServerDied, ServerProcess, Spawner
from ckpt_action.processes.diagnosis import crash_problem, last_stage, with_output
from ckpt_action.processes.environments import Environment, import_problem, variables
from ckpt_action.processes.memory import Gate, available, oom_kills
from ckpt_action.processes.requests import Ended, Failure, Request


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a child left: a result, or the problems why there is none."""

    ended: Ended
    result: Mapping[str, Any] | None = None
    problems: tuple[Problem, ...] = ()
    died_at: str = ""
    """The stage at which it crashed or was killed; empty where it did not, or its time was over."""


class Supervisor:
    """Safe to use from several threads; `close` it (`contextlib.closing`) when done."""

    def __init__(self, *, jobs: int, folder: Path, environ: Mapping[str, str]) -> None:
        """`jobs` children at once at most; servers log into `folder` and start in it."""
        self._gate = Gate(jobs, available())
        self._folder = folder
        self._spawner = Spawner(folder)
        self._environ = environ
        self._servers: dict[Environment, ServerProcess] = {}
        self._starting = threading.Lock()
        self._closed = False
        self._notes: dict[str, Problem] = {}

    @property
    def notes(self) -> tuple[Problem, ...]:
        """What children could not do as they do it elsewhere, each told once per run: it costs
        time and memory, and changes no byte."""
        return tuple(self._notes.values())

    def tell(self, *notes: Problem) -> None:
        """Add to `notes` what is not among them."""
        for one in notes:
            self._notes.setdefault(one.message, one)

    def close(self) -> None:
        """End every server and every child, forked or not; nothing is started any more."""
        self._spawner.close()
        with self._starting:
            self._closed = True
            for server in self._servers.values():
                server.close()

    def run(self, environment: Environment, request: Request) -> Answer:
        """Run `request` to its end, however that comes; never raises for what the child did."""
        request.work.mkdir(parents=True, exist_ok=True)
        with self._gate.room(request.memory):
            kills = oom_kills()
            try:
                ended = self._run(environment, request)
            except ServerDied as died:
                return Answer(ended=Ended(exit_code=None), problems=(died.problem,))
            except CkptActionError as error:
                return Answer(ended=Ended(exit_code=None), problems=error.problems)
            return _answer(request, ended, oom_killed=oom_kills() > kills)

    def _run(self, environment: Environment, request: Request) -> Ended:
        environ = variables(environment, self._environ)
        try:
            return self._server(environment, environ).run(request)
        except CannotFork as refusal:
            self.tell(_spawned(refusal))
        return self._spawner.run(request, environ)

    def _server(self, environment: Environment, environ: Mapping[str, str]) -> ServerProcess:
        if sys.platform != "linux":
            raise CannotFork("only Linux tells how many threads a process has")
        with self._starting:
            if self._closed:
                raise fail(ExitCode.CRASH, "The run was stopped.")
            server = self._servers.get(environment)
            if server is None or not server.alive:
                if server is not None:
                    server.close()
                log = self._folder / f"server-{environment}.log"
                server = ServerProcess(environ, self._folder, log)
                self._servers[environment] = server
        greeting = server.greeting()
        if not greeting["ready"]:
            raise CkptActionError(import_problem(_import_error(greeting)))
        return server


def _spawned(refusal: CannotFork) -> Problem:
    return note(
        ExitCode.ENVIRONMENT,
        "children could not be forked from one process that had imported TensorFlow "
        f"({refusal}); each imported it again, which takes seconds and half a gigabyte every time.",
    )


def _import_error(greeting: Mapping[str, Any]) -> ImportError:
    kind = ModuleNotFoundError if greeting["absent"] else ImportError
    return kind(greeting["message"], name=greeting["missing"])


def _answer(request: Request, ended: Ended, *, oom_killed: bool) -> Answer:
    file = request.work / "result.json"
    if ended.exit_code != 0 or ended.timed_out or not file.is_file():
        problem = crash_problem(request, ended, oom_killed=oom_killed)
        stage = "" if ended.timed_out else last_stage(request)
        return Answer(ended=ended, problems=(problem,), died_at=stage)
    data = json.loads(file.read_text())
    if "failure" in data:
        problems = from_data(Failure, data["failure"]).problems
        return Answer(ended=ended, problems=with_output(problems, request.work))
    return Answer(ended=ended, result=data["result"])
