"""The files as the format has them, and what of them is told apart when they are damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras_cases
import module_cases
import numpy as np
import pytest
import tensorflow as tf
from handmade import assert_equal
from tfjs_running import TARGET, case_of, export, noise, run

from ckpt_action.engine.arrays import digest
from ckpt_action.errors import CkptActionError, ExitCode


def model_json(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "model.json").read_text())
    return content


def test_the_json_is_a_graph_model_with_the_declared_names(tmp_path):
    export(keras_cases.CASES["dense"](), tmp_path)
    data = model_json(tmp_path)
    assert data["format"] == "graph-model"
    assert data["generatedBy"] == tf.__version__
    assert data["convertedBy"].startswith("ckpt-action ")
    assert data["signature"] == {
        "inputs": {"x": {"name": "x:0", "dtype": "DT_FLOAT",
                         "tensorShape": {"dim": [{"size": "-1"}, {"size": "8"}]}}},
        "outputs": {"logits": {"name": "logits:0", "dtype": "DT_FLOAT",
                               "tensorShape": {"dim": [{"size": "-1"}, {"size": "3"}]}}},
    }  # fmt: skip
    nodes = {node["name"]: node for node in data["modelTopology"]["node"]}
    assert nodes["x"]["op"] == "Placeholder"
    assert [n["op"] for n in nodes.values()].count("_FusedMatMul") == 2
    constants = {name for name, node in nodes.items() if node["op"] == "Const"}
    assert constants == {w["name"] for w in data["weightsManifest"][0]["weights"]}
    assert all("tensorContent" not in json.dumps(nodes[name]) for name in constants)


def test_weights_lie_in_shards_of_4_mib(tmp_path):
    wide = noise(1500, 900)
    case = case_of(lambda m, x: {"y": x @ m.w}, {"w": wide}, x=noise(2, 1500))
    written = export(case, tmp_path)
    (group,) = model_json(tmp_path)["weightsManifest"]
    assert group["paths"] == [f"group1-shard{n}of2.bin" for n in (1, 2)]
    sizes = [(tmp_path / name).stat().st_size for name in group["paths"]]
    assert sizes == [4 << 20, wide.nbytes - (4 << 20)]
    assert {p.name for p in tmp_path.iterdir()} == {"model.json", *group["paths"]}
    stored = dict(TARGET.open_artifact(tmp_path, ()).payloads())
    assert {written.payloads[name]: found for name, found in stored.items()} == {"w": digest(wide)}


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_no_shard_is_empty_or_missing(tmp_path, monkeypatch, excess):
    monkeypatch.setattr("ckpt_action.engine.tfjs.weights.SHARD", 4 * 24 + excess)
    case = case_of(lambda m, x: {"y": x @ m.w}, {"w": noise(6, 4)}, x=noise(2, 6))
    export(case, tmp_path)
    sizes = [p.stat().st_size for p in sorted(tmp_path.glob("*.bin"))]
    assert sum(sizes) == 4 * 24
    assert len(sizes) == (2 if excess < 0 else 1)
    assert_equal(run(tmp_path, case), case.live("serving_default"))


def test_several_signatures_become_a_folder_each(tmp_path):
    case = module_cases.CASES["several_signatures"]()
    written = export(case, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["decode", "encode"]
    artifact = TARGET.open_artifact(tmp_path, ())
    assert {s.name for s in artifact.signatures()} == {"decode", "encode"}
    for signature in case.inputs:
        assert_equal(run(tmp_path, case, signature), case.live(signature))
    variables = {v.path: digest(v.variable.numpy()) for v in case.model.variables}
    stored = dict(artifact.payloads())
    assert {path: stored[name] for name, path in written.payloads.items()} == variables


def test_names_of_every_kind_survive(tmp_path):
    case = module_cases.CASES["awkward_names"]()
    export(case, tmp_path)
    assert_equal(run(tmp_path, case), case.live("serving_default"))


def test_strings_and_narrow_integers_are_read_back_as_declared(tmp_path):
    words = np.array([b"one", b"", "\u00e9".encode()], object)

    def call(m, x):
        return {"w": tf.gather(m.words, x), "n": tf.cast(x, tf.uint8) + m.n, "yes": m.n > 2}

    case = case_of(call, {"words": words, "n": np.array([1, 2, 3], "uint8")},
                   x=np.array([2, 0, 1], "int64"))  # fmt: skip
    written = export(case, tmp_path)
    assert_equal(run(tmp_path, case), case.live("serving_default"))
    assert written.payloads == {"words": "words"}
    assert set(written.transformed) == {"n"}
    (note,) = written.notes
    assert "computes int64 and uint8 as int32" in note.message


def test_assertions_are_left_out_and_that_is_said(tmp_path):
    def call(m, x):
        with tf.control_dependencies([tf.debugging.assert_positive(x)]):
            return {"y": x * m.w}

    case = case_of(call, {"w": noise(3)}, x=np.abs(noise(2, 3)) + 1)
    written = export(case, tmp_path)
    assert_equal(run(tmp_path, case), case.live("serving_default"))
    assert "leaves out 1 assertions" in written.notes[0].message


DAMAGES = {
    "a missing shard": (lambda f: next(f.glob("*.bin")).unlink(), "No such file"),
    "a short shard": (lambda f: shorten(next(f.glob("*.bin"))), "cannot be read"),
    "a long shard": (lambda f: lengthen(next(f.glob("*.bin"))), "the shards have"),
    "no model": (lambda f: (f / "model.json").unlink(), "No such file"),
    "half a model": (lambda f: shorten(f / "model.json"), "cannot be read"),
    "another format": (lambda f: edit(f, format="layers-model"), "format is 'layers-model'"),
    "a shard elsewhere": (lambda f: edit(f, weightsManifest=[{"paths": ["../x.bin"]}]), "beside"),
    "no topology": (lambda f: edit(f, modelTopology={"node": [{"nome": "x"}]}), "read back"),
}


def shorten(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-10])


def lengthen(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"0")


def edit(folder: Path, **changes: Any) -> None:
    (folder / "model.json").write_text(json.dumps(model_json(folder) | changes))


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_files_are_findings(name, tmp_path):
    export(keras_cases.CASES["dense"](), tmp_path)
    damage, says = DAMAGES[name]
    damage(tmp_path)
    with pytest.raises(CkptActionError, match=says) as found:
        TARGET.open_artifact(tmp_path, ())
    assert {problem.code for problem in found.value.problems} == {ExitCode.VERIFY}
