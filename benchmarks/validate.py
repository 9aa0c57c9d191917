"""`ckpt-action validate` against check-jsonschema: whole warm processes on the same 60-line file.

Ours also reads the entry points' code and looks into the checkpoint files. The two run in turns, so
that both see the same load of the machine; the ratio of the medians is printed.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.processes import ENVIRON

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "schema" / "model-export.schema.json"
EXAMPLE = ROOT / "examples" / "digits"
FILE = "model-export.toml"
LIMIT = 0.5
"""What a clean run may take of check-jsonschema's time."""

MODEL = """
[models.digits-{number}]
entry-point = "digits.model:build"
checkpoints = ["runs/digits/ckpt-*"]
timeout     = 600

[models.digits-{number}.signatures.serving_default]
inputs  = {{ image = {{ dtype = "float32", shape = ["batch", 8, 8, 1] }} }}
outputs = ["digit"]

[models.digits-{number}.verify]
golden = "golden/digits.npz"
"""
HEAD = """version = 1

[export]
output-dir = "dist"

[defaults]
targets = ["saved-model", "frozen-graph"]
keras   = "auto"
"""


def project_of(folder: Path) -> Path:
    """A project below `folder` with the file to be checked."""
    project = folder / "validated"
    if not project.exists():
        shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("dist", "__pycache__"))
    file = project / FILE
    file.write_text(HEAD + "".join(MODEL.format(number=n) for n in range(4)))
    return project


def validate_commands() -> tuple[list[str], list[str]]:
    """Ours, and check-jsonschema's."""
    bin_folder = Path(sys.executable).parent
    return (
        [str(bin_folder / "ckpt-action"), "validate", FILE],
        [str(bin_folder / "check-jsonschema"), "--schemafile", str(SCHEMA), FILE],
    )


def measure(rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of each run: ours, and check-jsonschema's."""
    times: tuple[list[float], list[float]] = ([], [])
    with tempfile.TemporaryDirectory() as name:
        project = project_of(Path(name))
        for number in range(rounds + 1):
            for command, seconds in zip(validate_commands(), times, strict=True):
                start = time.perf_counter()
                silent = subprocess.DEVNULL
                subprocess.run(command, cwd=project, env=ENVIRON, check=True, stdout=silent)
                if number:  # the first round warms the caches
                    seconds.append(time.perf_counter() - start)
    return times


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    ours, theirs = measure(parser.parse_args().rounds)
    lines = len((HEAD + "".join(MODEL.format(number=n) for n in range(4))).splitlines())
    for name, times in (("ckpt-action validate", ours), ("check-jsonschema", theirs)):
        median, best = statistics.median(times), min(times)
        print(f"{name:22} median {median * 1e3:6.0f} ms   best {best * 1e3:6.0f} ms")
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(f"ratio {ratio:.2f} on {lines} lines (at most {LIMIT})")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
