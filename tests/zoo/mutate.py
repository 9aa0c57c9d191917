"""Damages the files of packed cases, seeded, and restores them: refused with a cause, or right.

    python mutate.py --python-path <folder> --each 20 --seed 1 <case.json> ...

The parent imports TensorFlow and runs no op; children are forked from it, as the product does, and
take one damaged file after another. One that dies is replaced: in the product its death is the
report of that job. Prints one JSON line for each case with its counts.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from cuts import parts
from run_cases import job_of

from ckpt_action.checkpoint.bundle import TensorBundle
from ckpt_action.checkpoint.object_graph import GRAPH_KEY
from ckpt_action.engine.rebuild.rebuild import environment_keras, rebuild
from ckpt_action.engine.restore import restore
from ckpt_action.errors import CkptActionError

FORGED = "object graph"
"""Bits of the object graph are flipped behind its checksum, which no accident does: only crashes
and tracebacks count there."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python-path", type=Path, required=True)
    parser.add_argument("--each", type=int, required=True, help="flipped versions of each file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("cases", nargs="+", type=Path)
    options = parser.parse_args()
    sys.path.insert(0, str(options.python_path))
    for module in ("architectures", "h5py", environment_keras().__name__):
        importlib.import_module(module)
    for case in options.cases:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "case"
            shutil.copytree(case.parent, copy)
            print(json.dumps({"case": str(case), **counts(copy, options)}), flush=True)


def counts(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    case = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    work: list[Any] = []
    for file in sorted(folder.rglob("*")):
        skipped = file.name == "case.json" or file.suffix in (".npz", ".meta", ".txt")
        if file.is_file() and not skipped:
            made = damaged(file, options.each, random.Random(f"{file.name}{options.seed}"))
            work += [(file, number, data) for number, data in enumerate(made)]
    graph = _object_graph(folder)
    choice = random.Random(options.seed)
    work += [(FORGED, n, _flipped(graph, choice, [])) for n in range(options.each * bool(graph))]
    found: Counter[str] = Counter()
    complaints = []
    for (file, number, _), (outcome, text) in zip(
        work, outcomes(case, folder, work, options), strict=True
    ):
        found[outcome] += 1
        forged = file is FORGED and outcome == "wrong"
        if outcome in ("wrong", "traceback", "died") and not forged:
            complaints.append(f"{getattr(file, 'name', file)} {number}: {outcome} {text}")
    return {"counts": dict(found), "complaints": complaints}


def outcomes(
    case: dict[str, Any], folder: Path, work: list[Any], options: argparse.Namespace
) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(work):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            with os.fdopen(writer, "w", encoding="utf-8", buffering=1) as answers:
                take(case, folder, work[at:], options.python_path, answers)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, encoding="utf-8") as answers:
            for line in answers:
                at += 1
                outcome, text = json.loads(line)
                yield outcome, text
        _, status = os.waitpid(child, 0)
        if at < len(work):
            at += 1
            yield "died", f"status {status}"


def take(
    case: dict[str, Any], folder: Path, work: list[Any], python_path: Path, answers: Any
) -> None:
    """Restore each damaged version into one model, whose variables are spoiled in between."""
    job = job_of(case, folder, python_path)
    rebuilt = rebuild(job)
    whole = restore(rebuilt, job.checkpoint, job.model.restore)
    variables = [(v.path, v.variable) for v in whole.variables if v.source]
    right = {path: variable.numpy() for path, variable in variables}
    for file, _, data in work:
        for path, variable in variables:
            variable.assign(spoiled(right[path]))
        original = file.read_bytes() if isinstance(file, Path) else b""
        if isinstance(file, Path):
            file.write_bytes(data)
        try:
            again = job_of(case, folder, python_path)
            with Forged(data if file is FORGED else None):
                restore(rebuilt, again.checkpoint, again.model.restore)
        except CkptActionError as error:
            outcome = "refused", str(error.problems[0])
        except BaseException:
            outcome = "traceback", traceback.format_exc()[-1500:]
        else:
            same = all(_same(variable.numpy(), right[path]) for path, variable in variables)
            outcome = ("right" if same else "wrong"), ""
        finally:
            if isinstance(file, Path):
                file.write_bytes(original)
        answers.write(json.dumps(outcome) + "\n")


class Forged:
    """While it lasts, the object graph is `data`, whatever its checksum says."""

    def __init__(self, data: bytes | None) -> None:
        self.data, self.read = data, TensorBundle.read_strings

    def __enter__(self) -> None:
        data, read = self.data, self.read
        if data is not None:
            TensorBundle.read_strings = lambda bundle, key: (
                [data] if key == GRAPH_KEY else read(bundle, key)
            )

    def __exit__(self, *_: object) -> None:
        TensorBundle.read_strings = self.read


def spoiled(value: np.ndarray) -> np.ndarray:
    return ~value if value.dtype == bool else np.full_like(value, 77)


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and one.tobytes() == other.tobytes()


def damaged(file: Path, each: int, choice: random.Random) -> Iterator[bytes]:
    """Truncations at the boundaries of its parts, flipped bits, bytes too many, noise."""
    data = file.read_bytes()
    values, ends = parts(file, data)
    near = {end + by for end in ends for by in (-1, 0, 1)}
    cut = sorted(length for length in near if 0 <= length < len(data))
    yield from (data[:length] for length in choice.sample(cut, min(len(cut), max(8, each))))
    yield from (_flipped(data, choice, values) for _ in range(each))
    yield data + b"\0" * 16
    yield choice.randbytes(len(data))


def _flipped(data: bytes, choice: random.Random, leave: list[tuple[int, int]]) -> bytes:
    result = bytearray(data)
    for _ in range(choice.choice((1, 1, 2, 8))):
        at = choice.randrange(len(result))
        while any(start <= at < end for start, end in leave):
            at = choice.randrange(len(result))
        result[at] ^= 1 << choice.randrange(8)
    return bytes(result)


def _object_graph(folder: Path) -> bytes:
    for index in sorted(folder.rglob("*.index")):
        bundle = TensorBundle(index.with_suffix(""))
        if GRAPH_KEY in bundle.entries:
            return bundle.read_strings(GRAPH_KEY)[0]
    return b""


if __name__ == "__main__":
    main()
