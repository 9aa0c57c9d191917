"""TensorFlow.js beside the environment that the action makes: it runs `tfjs` targets to prove them.

Runs before anything is installed, so the standard library is all it has.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from ckpt_action.action.declared import declared_formats
from ckpt_action.action.environment import ROOT, cache_folder, run
from ckpt_action.action.inputs import Inputs

LOCKED = ROOT / "requirements" / "tfjs"
_FILES = ("package.json", "package-lock.json")
_VARIABLE = "CKPT_ACTION_TFJS"


def tensorflow_js(inputs: Inputs, environ: Mapping[str, str]) -> str:
    """The folder with its packages: the one that somebody named, or a new one.

    Empty where no model wants them, or no program is there to install them: then the report says
    that such a target is not proven. With an interpreter of the user's own nothing is installed.
    """
    if named := environ.get(_VARIABLE):
        return named
    npm = shutil.which("npm", path=environ.get("PATH"))
    if inputs.python or npm is None:
        return ""
    if "tfjs" not in declared_formats(inputs.workspace / inputs.config):
        return ""
    folder = cache_folder(environ) / "tfjs"
    if not (folder / "node_modules" / ".package-lock.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for name in _FILES:
            shutil.copy(LOCKED / name, folder)
        quiet = ("--no-audit", "--no-fund", "--loglevel=error")
        run(
            [npm, "ci", "--prefix", folder, "--ignore-scripts", *quiet],
            hint=f"Can npm reach its registry? Else name a folder with the packages: {_VARIABLE}.",
            environ=environ,
        )
    return str(folder)
