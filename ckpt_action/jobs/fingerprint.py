"""What decides the bytes of an export beside the files that it reads, as digests."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from ckpt_action.codec import to_data
from ckpt_action.digests import file_digest, relative
from ckpt_action.plan import Job

_PACKAGE = Path(__file__).parents[1]
_OWN = "ckpt-action"


def config_digest(job: Job) -> str:
    """Of the model's whole table with its defaults, wherever its folder lies."""
    data = to_data(job.model)
    data["python_path"] = [relative(path, job.folder) for path in job.python_path]
    data["op_libraries"] = [relative(path, job.folder) for path in job.model.op_libraries]
    if golden := job.model.verify.golden:
        data["verify"]["golden"] = relative(golden, job.folder)
    return _digest(data)


def environment_digest(environ: Mapping[str, str]) -> str:
    """Of the Python, every installed distribution, this very code, and the settings of both."""
    return _digest(
        {
            "python": [platform.python_implementation(), platform.python_version()],
            "machine": [platform.system(), platform.machine()],
            "distributions": sorted(set(_distributions())),
            "tool": _own_code(),
            "variables": {n: v for n, v in environ.items() if n.startswith(("TF_", "KERAS_"))},
            "path": environ.get("PYTHONPATH", ""),
            "keras": _keras_settings(environ),
            "tfjs": _node_packages(environ),
        }
    )


def _distributions() -> Iterator[str]:
    for found in metadata.distributions():
        name = (found.metadata["Name"] or "").lower().replace("_", "-")
        if name == _OWN:
            continue
        yield f"{name}=={found.version}"
        if url := found.read_text("direct_url.json"):
            # Not from an index: one version may have been built twice, from different code.
            code = (
                f"{f.hash.value} {f}" for f in found.files or () if f.hash and ".py" in f.suffix
            )
            yield f"{name}: {url} {_digest(sorted(code))}"


def _own_code() -> str:
    """Not only its modules: tables and programs that lie among them decide as much."""
    files = (f for f in sorted(_PACKAGE.rglob("*")) if "__pycache__" not in f.parts)
    return _digest([[relative(f, _PACKAGE), file_digest(f)] for f in files if f.is_file()])


def _keras_settings(environ: Mapping[str, str]) -> str:
    home = environ.get("KERAS_HOME") or Path(environ.get("HOME", ""), ".keras")
    try:
        return Path(home, "keras.json").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _node_packages(environ: Mapping[str, str]) -> list[list[str]] | None:
    """What runs artifacts of TensorFlow.js; None where nothing does, and no values are compared."""
    named = environ.get("CKPT_ACTION_TFJS")
    if not named:
        return None
    folder = Path(named)
    modules = folder if folder.name == "node_modules" else folder / "node_modules"
    files = sorted(modules.glob("@tensorflow/*/package.json"))
    return [[file.parent.name, file_digest(file)] for file in files]


def _digest(data: object) -> str:
    text = json.dumps(data, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
