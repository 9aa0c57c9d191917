"""Gates, quantised artifacts and missing runtimes, through the command."""

from __future__ import annotations

import json
import shutil

import pytest
from command import ENVIRON, ckpt_action

from ckpt_action.codec import from_data
from ckpt_action.config.records import TargetSpec
from ckpt_action.errors import ExitCode
from ckpt_action.jobs.gates import gated
from ckpt_action.outcome import ArtifactOutcome, OutputVerdict, Run
from ckpt_action.report.text import render

HEAD = """
version = 1
[models.dense]
entry-point = "models:dense"
checkpoints = ["runs/dense/ckpt-*"]
verify = { samples = 8 }
"""
TARGETS = """
targets = [
  { format = "saved-model", max-latency = "10 s", min-agreement = 1.0 },
  { format = "frozen-graph", max-latency = "1 us" },
  { format = "tflite", max-latency = "10 s", max-gzip-size = "1 MB", min-agreement = 1.0 },
  { format = "tflite", name = "int8", quantize = "int8", representative-data = "data:samples" },
  { format = "tflite", name = "coarse", max-error = 1e-12 },
  { format = "tflite", name = "phone", quantize = "int8", max-error = 1e-4, \
representative-data = "data:samples" },
  { format = "tflite", name = "broken", quantize = "int8", representative-data = "data:raises" },
  { format = "onnx", max-gzip-size = "100 B" },
]
"""
DATA = """
import numpy as np

def samples():
    for row in np.random.default_rng(0).normal(size=(200, 1, 4)).astype("float32"):
        yield {"x": row}

def raises():
    raise OSError("the disk is not mounted")
"""


@pytest.fixture(scope="module")
def exported_gates(trained, tmp_path_factory):
    folder = shutil.copytree(trained, tmp_path_factory.mktemp("gates") / "repository")
    (folder / "gates.toml").write_text(HEAD + TARGETS)
    (folder / "data.py").write_text(DATA)
    run = ckpt_action("export", "gates.toml", "--format", "json", folder=folder)
    (job,) = json.loads(run.stdout)["jobs"]
    return folder, run, {artifact["name"]: artifact for artifact in job["artifacts"]}


def errors(artifact):
    return [p for p in artifact["problems"] if p["severity"] == "error"]


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("frozen-graph", ExitCode.GATE, "`max-latency` of 0.001 ms"),
        ("onnx", ExitCode.GATE, "`max-gzip-size` of 100"),
        ("coarse", ExitCode.VERIFY, "computes another 'y' than the restored model"),
        ("broken", ExitCode.TARGET, "data:raises raised OSError: the disk is not mounted"),
    ],
)
def test_what_fails_is_named_and_not_placed(name, code, says, exported_gates):
    folder, _, artifacts = exported_gates
    problems = errors(artifacts[name])
    assert {p["code"] for p in problems} == {code}
    assert says in problems[0]["message"]
    assert not (folder / "dist" / "dense" / name).exists()


def test_what_keeps_its_gates_is_placed(exported_gates):
    folder, run, artifacts = exported_gates
    assert run.returncode == ExitCode.VERIFY
    assert {f.name for f in (folder / "dist" / "dense").iterdir()} == {
        "saved-model",
        "tflite",
        "int8",
    }
    shown = {proof["name"]: proof["passed"] for proof in artifacts["tflite"]["proofs"]}
    assert shown["max-latency"]
    assert shown["max-gzip-size"]
    assert shown["min-agreement"]
    assert not {p["name"]: p["passed"] for p in artifacts["onnx"]["proofs"]}["max-gzip-size"]


def test_the_report_names_runs_and_machine_and_the_manifest_has_no_times(exported_gates):
    folder, run, artifacts = exported_gates
    latency = artifacts["tflite"]["latency"]
    assert latency["runs"] == 50
    assert "cores" in latency["machine"]
    assert latency["seconds"] > 0
    said = render(from_data(Run, json.loads(run.stdout)))
    assert "one call of tflite takes" in said
    assert latency["machine"] in said
    manifest = (folder / "dist" / "manifest.json").read_text()
    assert "latency" not in json.loads(manifest)["jobs"][0]["artifacts"][0]
    assert latency["machine"] not in manifest


def test_a_quantised_artifact_says_how_far_it_is_from_the_model(exported_gates):
    _, _, artifacts = exported_gates
    (values,) = [p for p in artifacts["int8"]["proofs"] if p["name"] == "values"]
    assert values["passed"]
    assert "Largest difference" in values["detail"]
    assert "the same class wins in" in values["detail"]
    assert all(v["agreement"] is not None for v in artifacts["int8"]["verdicts"])
    (payload,) = [p for p in artifacts["int8"]["proofs"] if p["name"] == "payload"]
    assert payload["passed"] is None


def test_an_artifact_that_was_quantised_too_coarsely_names_the_knob(exported_gates):
    """Once for an output, however many probes there are."""
    _, _, artifacts = exported_gates
    (problem,) = errors(artifacts["phone"])
    assert problem["message"].startswith("Artifact 'phone', quantised to int8, moves output 'y' ")
    assert "`max-error` allows 0.0001, as declared; the same class wins in " in problem["message"]
    assert "more varied `representative-data`, train on, quantise to `float16`" in problem["hint"]
    assert "declare `max-error = 0.0" in problem["hint"]
    assert len(problem["details"]) > 1


def test_a_target_without_its_runtime_says_what_installs_it(repository, tmp_path):
    for name in ("ai_edge_litert", "tf2onnx"):
        (tmp_path / "without" / name).mkdir(parents=True)
        (tmp_path / "without" / name / "__init__.py").write_text(
            f'raise ModuleNotFoundError("No module named {name}", name={name!r})'
        )
    (repository / "targets.toml").write_text(HEAD + 'targets = ["saved-model", "tflite", "onnx"]')
    path = f"{tmp_path / 'without'}:{ENVIRON['PYTHONPATH']}"
    run = ckpt_action("export", "targets.toml", folder=repository, PYTHONPATH=path)
    assert run.returncode == ExitCode.ENVIRONMENT
    assert 'pip install "ckpt-action[tflite]"' in run.stdout
    assert 'pip install "ckpt-action[onnx]"' in run.stdout
    assert "Traceback" not in run.stdout + run.stderr
    assert (repository / "dist" / "dense" / "saved-model").is_dir()


@pytest.mark.parametrize("least", range(101))
def test_as_many_rows_as_were_asked_for_are_enough(tmp_path, least):
    """Also where the part that was asked for is no binary number: 100 * 0.07 is more than 7."""
    target = TargetSpec(format="tflite", name="tflite", min_agreement=least / 100)
    for same in (least - 1, least):
        verdict = OutputVerdict(
            signature="s", output="y", against="reference", probe="p", dtype="float32",
            shape=(100, 3), passed=True, agreement=same / 100,
        )  # fmt: skip
        artifact = ArtifactOutcome(
            format="tflite", name="tflite", folder="m/tflite", verdicts=(verdict,)
        )
        assert gated(artifact, target, tmp_path).passed == (same == least)
