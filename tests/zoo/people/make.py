"""Run with the interpreter of a world: the repositories of that world, below `<out>/<name>`.

python make.py --world tf215-keras2 --out <folder> [--only <name> ...]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import traceback
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import agents  # noqa: F401
import captioning  # noqa: F401
import detection  # noqa: F401
import gans  # noqa: F401
import language  # noqa: F401
import representation  # noqa: F401
import sessions  # noqa: F401
import speech  # noqa: F401
import tensorflow as tf
import tf1_graphs  # noqa: F401
import training  # noqa: F401
import translation  # noqa: F401
import vision  # noqa: F401
from repository import REPOSITORIES


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    tf.get_logger().setLevel("ERROR")
    failed = []
    for name, repository in REPOSITORIES.items():
        if repository.world != options.world or (options.only and name not in options.only):
            continue
        folder = options.out / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        tf.keras.backend.clear_session()
        tf.keras.utils.set_random_seed(1)
        try:
            repository.train(folder)
        except Exception:
            failed.append(name)
            traceback.print_exc()
    print(f"{options.world}: failed: {', '.join(failed) or 'none'}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    raise SystemExit(main())
