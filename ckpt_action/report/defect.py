"""What a person pastes into an issue when ckpt-action itself failed."""

from __future__ import annotations

import platform
import shlex
import traceback
from collections.abc import Sequence
from importlib import metadata

from ckpt_action import __version__

_PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "tf-keras", "numpy", "h5py", "jsonschema")


def defect_report(arguments: Sequence[str]) -> str:
    """A Markdown block about the exception being handled; imports none of the packages it names."""
    versions = [f"ckpt-action {__version__}", f"Python {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    return "\n".join(
        (
            "This is a defect of ckpt-action, not of your files. Please report it with this block:",
            "",
            "```text",
            f"command:  {shlex.join(['ckpt-action', *arguments])}",
            f"versions: {', '.join(versions)}",
            f"platform: {platform.platform()}",
            "",
            traceback.format_exc().rstrip(),
            "```",
        )
    )
