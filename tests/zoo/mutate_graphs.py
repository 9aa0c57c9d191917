"""Damages the `.meta` of packed TF1 cases, seeded, and takes each through restore, trace and run.

    python mutate_graphs.py --python-path <folder> --each 20 --seed 1 <case.json> ...

A `.meta` has no checksums: a flipped bit may leave another graph that is whole, and only the golden
file tells. Prints one JSON line for each case: counts of `right`, `refused`, `golden` (other
numbers than the golden file's, which the export refuses), and what crashed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from mutate import damaged
from run_cases import run, run_apart


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python-path", type=Path, required=True)
    parser.add_argument("--each", type=int, required=True, help="flipped versions of each file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("cases", nargs="+", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    for module in ("h5py", "ckpt_action.engine.metagraph.module"):
        importlib.import_module(module)  # once for all children
    for case in options.cases:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "case"
            shutil.copytree(case.parent, copy)
            print(json.dumps({"case": str(case), **counts(copy, options)}), flush=True)


def counts(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    (file,) = folder.glob("*.meta")
    found: Counter[str] = Counter()
    complaints = []
    choice = random.Random(f"{file.name}{options.seed}")
    for number, data in enumerate(damaged(file, options.each, choice)):
        file.write_bytes(data)
        result = run_apart(run, folder / "case.json", options.python_path)
        outcome = "golden" if result["outcome"] == "wrong" else result["outcome"]
        found[outcome] += 1
        if outcome == "crashed" or result.get("code") == "OP":
            complaints.append(
                f"{file.name} {number}: {result['stage']} {result['message'][-1500:]}"
            )
    return {"counts": dict(found), "complaints": complaints}


if __name__ == "__main__":
    sys.exit(main())
