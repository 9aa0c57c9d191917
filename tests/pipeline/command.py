"""The command, as a person runs it, and the environment of its children."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ENVIRON = dict(os.environ) | {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path[1:]])}


def ckpt_action(*arguments, folder, hash_seed=None, **environ):
    """`hash_seed`: of the command and of its children, which have a fixed one otherwise."""
    program = ["-m", "ckpt_action"]
    if hash_seed is not None:
        program = [str(HERE / "with_hash_seed.py"), hash_seed]
        environ["PYTHONHASHSEED"] = hash_seed
    return subprocess.run(
        [sys.executable, *program, *map(str, arguments)],
        cwd=folder,
        env=ENVIRON | environ,
        capture_output=True,
        text=True,
        check=False,
    )
