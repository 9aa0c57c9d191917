"""The command, as a person runs it, and the environment of its children."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ENVIRON = dict(os.environ) | {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path[1:]])}


def ckpt_action(*arguments, folder, **environ):
    return subprocess.run(
        [sys.executable, "-m", "ckpt_action", *map(str, arguments)],
        cwd=folder,
        env=ENVIRON | environ,
        capture_output=True,
        text=True,
        check=False,
    )
