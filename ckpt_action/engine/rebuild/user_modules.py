"""Import the user's modules; what is missing is told apart: their own, a package, an old API."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ckpt_action.engine.user_code import describe_error, users_frames
from ckpt_action.errors import CkptActionError, ExitCode, fail
from ckpt_action.repository import path_from

_DISTRIBUTIONS = {
    "PIL": "pillow",
    "attr": "attrs",
    "cv2": "opencv-python-headless",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "tensorflow_addons": "tensorflow-addons",
    "tensorflow_hub": "tensorflow-hub",
    "tensorflow_probability": "tensorflow-probability",
    "tensorflow_text": "tensorflow-text",
    "yaml": "pyyaml",
}


def extend_path(python_path: Sequence[Path]) -> None:
    """Put the folders of `python-path` in front of `sys.path`, in their order."""
    folders = [str(folder) for folder in python_path]
    sys.path[:] = folders + [entry for entry in sys.path if entry not in folders]


def import_module(name: str, roots: Sequence[Path]) -> Any:
    """The module `name`; whatever goes wrong in it becomes a CkptActionError."""
    try:
        return importlib.import_module(name)
    except CkptActionError:
        raise
    except ModuleNotFoundError as error:
        raise module_not_found(name, error, roots) from error
    except SystemExit as error:
        raise exited(f"module {name}", error, roots) from error
    except BaseException as error:
        text, where, details = describe_error(error, roots)
        hint = "Importing the module must work on its own: `python -c 'import …'` shows the same."
        if "attempted relative import" in text:
            hint = "Name the module with its package (`package.module:function`) in `entry-point`."
        raise fail(
            ExitCode.REBUILD,
            f"importing {name} failed with {text}",
            hint=hint,
            where=where,
            details=details,
        ) from error


def module_not_found(
    wanted: str, error: ModuleNotFoundError, roots: Sequence[Path]
) -> CkptActionError:
    """The error for a module that is missing while `wanted` was imported or ran."""
    missing = error.name or wanted
    top = missing.split(".")[0]
    _, where, details = describe_error(error, roots)
    if (wanted == missing or wanted.startswith(missing + ".")) and not users_frames(
        error.__traceback__, roots
    ):
        return fail(
            ExitCode.CONFIG, f"there is no module {missing}.", hint=_where_it_may_be(missing, roots)
        )
    if top in sys.modules or importlib.util.find_spec(top) is not None:
        owner = getattr(sys.modules.get(top), "__version__", "")
        installed = f"{top} {owner}".rstrip()
        return fail(
            ExitCode.ENVIRONMENT,
            f"the code imports {missing}, which the installed {installed} does not have.",
            hint=f"Change the import, or install the version of {top} that the code was "
            'written for (`keras = "2"` brings back Keras 2).',
            where=where,
            details=details,
        )
    folders = [folder for root in roots for folder in (root, *_folders(root))]
    if any((f / top).is_dir() or (f / f"{top}.py").is_file() for f in folders):
        return fail(
            ExitCode.CONFIG,
            f"there is no module {missing}.",
            hint=_where_it_may_be(missing, roots),
            where=where,
            details=details,
        )
    return fail(
        ExitCode.ENVIRONMENT,
        f"the code needs {top}, which is not installed.",
        hint=_installing(top),
        where=where,
        details=details,
    )


def _installing(top: str) -> str:
    """A bare name may be a package of this name, or a file that was not committed."""
    if top in _DISTRIBUTIONS:
        return f"pip install {_DISTRIBUTIONS[top]}"
    return (
        f"If it is a package: pip install {top.replace('_', '-')}. If it is a file of yours: "
        "commit it, or add its folder to `python-path`."
    )


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    except OSError:
        return []


def _where_it_may_be(missing: str, roots: Sequence[Path]) -> str:
    """Advice for a module of the user's own that `sys.path` does not lead to.

    `roots`: the folders of `python-path`, then that of the configuration.
    """
    parts = missing.split(".")
    *python_path, own = roots
    if python_path and own not in python_path and _holds(own, parts):
        line = ", ".join(f'"{path_from(own, folder)}"' for folder in (*python_path, own))
        return f"It lies in the folder of the configuration: set `python-path = [{line}]`."
    for root in roots:
        for folder in _folders(root):
            if _holds(folder, parts):
                return f'It lies in {folder.name}/: set `python-path = ["{folder.name}"]`.'
    names = _modules_below([root.joinpath(*parts[:-1]) for root in roots])
    near = difflib.get_close_matches(parts[-1], names, n=3)
    prefix = ".".join(parts[:-1])
    known = [f"{prefix}.{name}" if prefix else name for name in near or sorted(names)[:5]]
    if near:
        return f"Did you mean {' or '.join(known)}?"
    searched = ", ".join(dict.fromkeys(map(str, roots)))
    return f"Searched in {searched} (`python-path`)" + (
        f"; there are: {', '.join(known)}." if known else "."
    )


def _holds(folder: Path, parts: Sequence[str]) -> bool:
    path = folder.joinpath(*parts)
    return path.is_dir() or path.with_suffix(".py").is_file()


def _modules_below(folders: Sequence[Path]) -> set[str]:
    return {found.name for found in pkgutil.iter_modules([str(folder) for folder in folders])}


def exited(what: str, error: SystemExit, roots: Sequence[Path]) -> CkptActionError:
    """The error for user code that ended the process by `sys.exit`."""
    _, where, details = describe_error(error, roots)
    return fail(
        ExitCode.REBUILD,
        f"{what} ended the process with sys.exit({error.code!r}).",
        hint='Keep training and command-line code under `if __name__ == "__main__":`.',
        where=where,
        details=details,
    )
