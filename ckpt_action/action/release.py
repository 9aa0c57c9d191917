"""The one step of `release/action.yml` that does something: it has the token, and no user code.

Runs before anything is installed, so the standard library is all it has.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path

from ckpt_action.action.environment import ROOT, SCRIPTS, run
from ckpt_action.errors import CkptActionError, ExitCode, Problem

_SWITCHES = ("draft", "prerelease", "replace", "generate_notes")
_TEXTS = ("name", "notes", "repository")


def release(environ: Mapping[str, str]) -> int:
    """Run `ckpt-action release` from this checkout; return its exit code."""
    given = {
        name.removeprefix("CKPT_ACTION_").lower(): value.strip()
        for name, value in environ.items()
        if name.startswith("CKPT_ACTION_")
    }
    if problems := _problems(given):
        raise CkptActionError(*problems)
    work = Path(tempfile.mkdtemp(prefix="ckpt-action-release-", dir=environ["RUNNER_TEMP"]))
    python = given["python"] or str(_interpreter(work / "venv"))
    arguments = ["release", given["folder"], "--tag", given["tag"], "--format", "github"]
    arguments += ["--assets-dir", str(work / "assets")]
    arguments += [_option(name) for name in _SWITCHES if given[name] == "true"]
    # One word each: a text may begin with a dash.
    arguments += [f"{_option(name)}={given[name]}" for name in _TEXTS if given.get(name)]
    for model in given.get("allow_unproven", "").split():
        arguments += ["--allow-unproven", model]
    return subprocess.run(
        [python, "-m", "ckpt_action", *arguments], cwd=ROOT, check=False
    ).returncode


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _problems(given: Mapping[str, str]) -> list[Problem]:
    problems = [
        _problem(name.replace("_", "-"), f"{given[name]!r} is neither true nor false.", "")
        for name in _SWITCHES
        if given[name] not in {"true", "false"}
    ]
    if not given["tag"]:
        hint = "Start the workflow by `push` of a tag or by `release`, or name the tag."
        problems.append(_problem("tag", "this run is not for a tag.", hint))
    return problems


def _problem(name: str, message: str, hint: str) -> Problem:
    return Problem(code=ExitCode.USAGE, message=f"input `{name}`: {message}", hint=hint)


def _interpreter(folder: Path) -> Path:
    """A new environment with what `release` needs, by its hashes."""
    venv.create(folder, with_pip=True)
    python = folder / SCRIPTS / ("python.exe" if os.name == "nt" else "python")
    locked = ROOT / "requirements" / "release.txt"
    pip = ["pip", "install", "--quiet", "--disable-pip-version-check"]
    run([python, "-I", "-m", *pip, "--require-hashes", "-r", locked])
    return python
