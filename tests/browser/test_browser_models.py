"""Exported models in Chromium, on the backends that web applications use."""

from __future__ import annotations

import json
from pathlib import Path

import chromium
import numpy as np
import pytest
import web_cases
from handmade import Case, assert_equal

from ckpt_action.engine.targets import registry

pytestmark = [
    pytest.mark.skipif(bool(chromium.missing()), reason=chromium.missing() or "-"),
    pytest.mark.xdist_group("browser"),  # one start for all
]

QUICK = [name for name in web_cases.CASES if name not in web_cases.SLOW]
ON_WEBGL = {name for name in QUICK if name != "mobilenet"}
"""In software it takes ten seconds and more for a large network."""
PERTURBED = ("convolutions", "transformer", "masked_recurrent", "keras_2_convolutions")


def calls_of(name: str) -> list[tuple[str, str]]:
    backends = ["cpu", "wasm", *(["webgl"] if name in ON_WEBGL else [])]
    return [(name, backend) for backend in backends]


class Exported:
    """Cases with their folders, and what Chromium computed from these."""

    def __init__(self, names: list[str], scratch: Path) -> None:
        self.cases: dict[str, Case] = {name: web_cases.CASES[name]() for name in names}
        keys = [key for name in names for key in calls_of(name)]
        keys += [(f"{name} perturbed", "wasm") for name in names if name in PERTURBED]
        folders = {name: self._write(name, scratch) for name in {name for name, _ in keys}}
        found = chromium.run([self._call(key, folders[key[0]]) for key in keys], scratch)
        self.found = dict(zip(keys, found, strict=True))

    def _write(self, name: str, scratch: Path) -> Path:
        folder = scratch / name.replace(" ", "-")
        folder.mkdir()
        registry()["tfjs"].export(self.cases[_of(name)].model, folder, {})
        if name.endswith("perturbed"):
            perturb(folder)
        return folder

    def _call(self, key: tuple[str, str], folder: Path) -> chromium.Call:
        case = self.cases[_of(key[0])]
        (signature,) = case.model.signatures
        outputs = [output.name for output in signature.record.outputs]
        inputs = case.inputs[signature.declared.name]
        return chromium.Call(folder=folder, backend=key[1], inputs=inputs, outputs=outputs)

    def live(self, name: str) -> dict[str, np.ndarray]:
        """With the integers that TensorFlow.js has."""
        live = self.cases[name].live("serving_default")
        narrow = chromium.NARROW
        return {k: v.astype(narrow.get(v.dtype.name, v.dtype.name)) for k, v in live.items()}


def _of(name: str) -> str:
    return name.removesuffix(" perturbed")


def perturb(folder: Path) -> None:
    """Change one element of the last kernel."""
    manifest = json.loads((folder / "model.json").read_text())["weightsManifest"]
    start, last = 0, (0, 0)
    for weight in manifest[0]["weights"]:
        size = 4 * int(np.prod(weight["shape"]))
        if weight["dtype"] == "float32" and len(weight["shape"]) == 2:
            last = start, size
        start += size
    shard = folder / manifest[0]["paths"][-1]
    content = bytearray(shard.read_bytes())
    first = content[last[0] : last[0] + 4]
    content[last[0] : last[0] + 4] = (np.frombuffer(bytes(first), "<f4") + 1).tobytes()
    shard.write_bytes(content)


@pytest.fixture(scope="module")
def quick(tmp_path_factory) -> Exported:
    return Exported(QUICK, tmp_path_factory.mktemp("web"))


@pytest.mark.parametrize(("name", "backend"), [key for name in QUICK for key in calls_of(name)])
def test_the_browser_computes_what_the_model_does(name, backend, quick):
    found = quick.found[name, backend]
    assert not isinstance(found, str), found
    assert_equal(found, quick.live(name))


@pytest.mark.parametrize("name", PERTURBED)
def test_a_perturbed_weight_shows(name, quick):
    found = quick.found[f"{name} perturbed", "wasm"]
    assert not isinstance(found, str), found
    with pytest.raises(AssertionError):
        assert_equal(found, quick.live(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", web_cases.SLOW)
def test_the_browser_runs_large_networks(name, tmp_path):
    exported = Exported([name], tmp_path)
    for _, backend in calls_of(name):
        found = exported.found[name, backend]
        assert not isinstance(found, str), found
        assert_equal(found, exported.live(name))
