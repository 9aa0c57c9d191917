"""Makes the whole zoo: an isolated environment for each TensorFlow, and `generate.py` in each.

python tests/zoo/make_zoo.py --out build/zoo
python tests/zoo/make_zoo.py --out build/zoo --worlds tf215-keras2 --python tf215=<interpreter>
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class World:
    """A TensorFlow and the Keras that `tf.keras` is in it."""

    environment: str
    tensorflow: str
    legacy: bool = False
    """`TF_USE_LEGACY_KERAS=1`: tf.keras is the tf_keras package."""
    whole: bool = False
    """Every architecture; else those on which every way of saving is tried."""


WORLDS = {
    "tf213-keras2": World("tf213", "2.13", whole=True),
    "tf215-keras2": World("tf215", "2.15", whole=True),
    "tf216-keras3": World("tf216", "2.16"),
    "tf216-tfkeras": World("tf216", "2.16", legacy=True),
    "tf218-keras3": World("tf218", "2.18"),
    "tf221-keras3": World("tf221", "2.21", whole=True),
    "tf221-tfkeras": World("tf221", "2.21", legacy=True),
}
PYTHON = "3.11"
"""The one Python that every TensorFlow of the table has wheels for."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("build/zoo"))
    parser.add_argument("--worlds", nargs="*", choices=list(WORLDS), default=list(WORLDS))
    parser.add_argument("--environments", type=Path, default=Path("build/zoo-environments"))
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="ENVIRONMENT=INTERPRETER",
        help="use an interpreter that already has the TensorFlow",
    )
    parser.add_argument("rest", nargs="*", help="after --: arguments for generate.py")
    options = parser.parse_args()
    known = dict(item.split("=", 1) for item in options.python)
    failed = []
    for name in options.worlds:
        world = WORLDS[name]
        python = known.get(world.environment) or environment(world, options.environments)
        settings = {**os.environ, "TF_USE_LEGACY_KERAS": "1" if world.legacy else "0"}
        command = [python, "-W", "ignore", HERE / "generate.py", "--world", name]
        command += ["--out", options.out, *([] if world.whole else ["--special"]), *options.rest]
        if subprocess.run([str(part) for part in command], env=settings, check=False).returncode:
            failed.append(name)
        print(f"{name}: {len(list((options.out / name).rglob('case.json')))} cases", flush=True)
        people = [python, "-W", "ignore", HERE / "people" / "make.py", "--world", name]
        people += ["--out", options.out.with_name("people")]
        if subprocess.run([str(part) for part in people], env=settings, check=False).returncode:
            failed.append(f"{name} (people)")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def environment(world: World, folder: Path) -> str:
    """The interpreter of the isolated environment, made on first use; with uv where it is there."""
    root = folder / world.environment
    python = root / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if (root / "complete").exists():
        return str(python)
    package = "tensorflow-cpu" if sys.platform == "linux" else "tensorflow"
    wanted = [f"{package}=={world.tensorflow}.*", "h5py"]
    keras = [f"tf-keras=={world.tensorflow}.*"] if world.tensorflow >= "2.16" else []
    uv = shutil.which("uv") or shutil.which("uv", path=Path(sys.executable).parent)
    if uv:
        _run(uv, "venv", "--quiet", "--clear", "--python", PYTHON, root)
        install = [uv, "pip", "install", "--quiet", "--python", python]
    else:
        venv.create(root, with_pip=True, clear=True)
        install = [python, "-m", "pip", "install", "--quiet"]
    _run(*install, *wanted)
    if keras:
        _run(*install, "--no-deps", *keras)
    (root / "complete").touch()
    return str(python)


def _run(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True)


if __name__ == "__main__":
    raise SystemExit(main())
