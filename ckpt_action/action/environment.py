"""The Python environment that the action exports in, made from the action's own checkout.

Runs before anything is installed, so the standard library is all it has.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ckpt_action import __version__
from ckpt_action.action.declared import declared_formats, wanted_extras
from ckpt_action.action.inputs import Inputs
from ckpt_action.errors import ExitCode, fail

ROOT = Path(__file__).resolve().parent.parent.parent
"""The action's checkout."""
EXPORTING, PLANNING = "export.txt", "plan.txt"
"""Locked sets in `requirements/`: with TensorFlow, and what reading files takes."""
_HINT = "Do python-version, tensorflow-version and requirements fit each other?"
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


def interpreter(inputs: Inputs, environ: Mapping[str, str], locked: str = EXPORTING) -> Path:
    """The interpreter to work with: the one given, or that of a new virtual environment."""
    if inputs.python:
        return _existing(inputs.python)
    folder, kept = Path(environ["RUNNER_TEMP"]) / "ckpt-action", cache_folder(environ)
    uv = _install_uv(kept / "uv")
    python = folder / "venv" / SCRIPTS / "python"
    run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder / "venv"])
    caching = ("--cache-dir", kept / "packages") if _hosted(environ) else ()
    for arguments in install_commands(inputs, locked):
        command = [uv, "pip", "install", "--quiet", *caching, "--python", python, *arguments]
        run(command, cwd=inputs.workspace if inputs.requirements else None)
    return python


def cache_folder(environ: Mapping[str, str]) -> Path:
    """What the next run on a fresh machine may start with: uv with its cache, TensorFlow.js.

    On a machine of the user's own uv keeps its cache at its usual place, from run to run.
    """
    return Path(environ["RUNNER_TEMP"]) / "ckpt-action" / "cache"


def cache_key(inputs: Inputs) -> str:
    """Names everything that decides what lies in the cache."""
    names = ("uv.txt", EXPORTING, "tfjs/package-lock.json")
    locks = [ROOT / "requirements" / name for name in names]
    digest = hashlib.sha256(inputs.tensorflow_version.encode())
    digest.update(",".join(declared_formats(inputs.workspace / inputs.config)).encode())
    for file in (*locks, ROOT / "pyproject.toml", *inputs.requirements):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    python = f"{platform.python_version()}-{platform.system()}-{platform.machine()}".lower()
    return f"ckpt-action-{python}-{digest.hexdigest()[:20]}"


def _hosted(environ: Mapping[str, str]) -> bool:
    return environ.get("RUNNER_ENVIRONMENT") == "github-hosted"


def install_commands(inputs: Inputs, locked: str = EXPORTING) -> tuple[tuple[str | Path, ...], ...]:
    """Arguments of `uv pip install`: the locked set, or one resolution of what was asked for.

    The user's files are installed in the workspace, which `-e .` and `./package` are relative to.
    """
    if not inputs.tensorflow_version and not inputs.requirements:
        return (("--require-hashes", "-r", ROOT / "requirements" / locked), ("--no-deps", ROOT))
    extras = ",".join(wanted_extras(inputs.workspace / inputs.config))
    wanted: list[str | Path] = [f"{ROOT}[{extras}]"]
    if version := inputs.tensorflow_version:
        series = ".".join(version.split(".")[:2])
        exact = version if version != series else f"{series}.*"
        wanted += [f"tensorflow=={exact}", f"tf-keras=={series}.*"]
    for file in inputs.requirements:
        wanted += ["-r", file]
    return (tuple(wanted),)


def _existing(python: str) -> Path:
    found = shutil.which(python)
    if found is None:
        raise fail(
            ExitCode.ENVIRONMENT,
            f"input `python`: there is no interpreter {python!r}.",
            hint="Give a command or an absolute path.",
        )
    program = "import ckpt_action; print(ckpt_action.__version__)"
    asked = subprocess.run(
        [found, "-I", "-c", program], capture_output=True, text=True, check=False
    )
    if asked.returncode or asked.stdout.strip() != __version__:
        has = asked.stdout.strip() if not asked.returncode else "no ckpt-action"
        raise fail(
            ExitCode.ENVIRONMENT,
            f"input `python`: {python} has {has}, this is the action of {__version__}.",
            hint=f'Install it there: pip install "ckpt-action[tensorflow]=={__version__}"',
        )
    return Path(found).absolute()


def _install_uv(folder: Path) -> Path:
    """The program in `folder`, brought there by the pip of the Python that runs this."""
    program = folder / "bin" / ("uv.exe" if os.name == "nt" else "uv")
    if not program.is_file():
        locked = ROOT / "requirements" / "uv.txt"
        pip = ["pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        run([sys.executable, "-I", "-m", *pip, "--target", folder, "-r", locked])
    return program


def run(
    argv: Sequence[str | Path],
    hint: str = _HINT,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> None:
    """Raises CkptActionError (ENVIRONMENT) with `hint` where it fails."""
    done = subprocess.run(
        [str(word) for word in argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environ,
        cwd=cwd,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise fail(
            ExitCode.ENVIRONMENT,
            f"Installing failed: {Path(argv[0]).name} ended with {done.returncode}.",
            hint=hint,
            details=done.stdout.splitlines()[-30:],
        )
