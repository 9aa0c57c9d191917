"""A folder may be anybody's: what its own manifest lets pass proves nothing by itself."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from command import ckpt_action
from test_verify import sign_again

from ckpt_action.engine.targets import registry
from ckpt_action.errors import CkptActionError, ExitCode
from ckpt_action.manifest import Exported, read_manifest
from ckpt_action.output.trusted_tolerances import QUANTISED, ROUNDING, loosened, own_model
from ckpt_action.release.folder import read_folder
from ckpt_action.status import Status, job_status

DECLARED = 'golden = "golden/affine.npz"\nrtol = 0.3\natol = 0.3'


@pytest.fixture
def repository(exported, tmp_path):
    """An exported one that the test may change, with its configuration and golden file."""
    return Path(shutil.copytree(exported, tmp_path / "repository"))


def edit(folder: Path, change) -> None:
    """The manifest's `affine` as somebody else might have written it, with digests that agree."""
    file = folder / "dist" / "manifest.json"
    manifest = json.loads(file.read_text())
    (job,) = (job for job in manifest["jobs"] if job["name"] == "affine")
    change(job)
    file.write_text(json.dumps(manifest))
    sign_again(folder / "dist")


def every_artifact(**values):
    def change(job) -> None:
        for artifact in job["artifacts"]:
            artifact.update(values)

    return change


def verified(repository: Path) -> tuple[int, str, str]:
    """Exit code, what is said of `affine`, and the whole text."""
    run = ckpt_action("verify", "dist", folder=repository)
    (line,) = (line for line in run.stdout.splitlines() if line.startswith("affine: "))
    return run.returncode, line.removeprefix("affine: "), run.stdout


def test_tolerances_that_only_the_manifest_asks_for_prove_nothing(repository):
    edit(repository, lambda job: job.update(rtol=0.3, atol=0.3))
    edit(repository, every_artifact(max_error=0.5))
    code, verdict, text = verified(repository)
    assert (code, verdict) == (0, "not proven"), text
    for said in ("rtol 0.3", "atol 0.3", "max-error 0.5"):
        assert f"warning: affine is compared with {said}, as manifest.json says" in text


def test_the_persons_own_configuration_beside_the_golden_file_may_ask_for_them(repository):
    edit(repository, lambda job: job.update(rtol=0.3, atol=0.3))
    config = repository / "model-export.toml"
    config.write_text(config.read_text().replace('golden = "golden/affine.npz"', DECLARED))
    code, verdict, text = verified(repository)
    assert (code, verdict) == (0, "proven"), text
    assert "is compared with" not in text


def entry(repository: Path) -> Exported:
    manifest = read_manifest(repository / "dist")
    return next(job for job in manifest.jobs if job.name == "affine")


@pytest.mark.parametrize(
    ("declared", "asked", "loose"),
    [
        ("rtol = 0.3", {"rtol": 0.3}, ()),
        ("rtol = 0.3", {"rtol": 0.4}, ("rtol 0.4",)),
        ("rtol = 0.3", {"atol": 0.3}, ("atol 0.3",)),
        ("", {"rtol": 1e-4, "atol": 1e-5}, ()),
        ("", {"rtol": float("nan")}, ("rtol nan",)),
    ],
)
def test_each_tolerance_counts_as_far_as_the_configuration_goes(repository, declared, asked, loose):
    config = repository / "model-export.toml"
    config.write_text(f"{config.read_text()}{declared}\n")
    job = replace(entry(repository), **asked)
    own = own_model(job, [repository], repository / "dist")
    assert own is not None
    assert loosened(job, job.artifacts[0], own) == loose


@pytest.mark.parametrize(
    ("target", "max_error", "loose"),
    [
        ('"frozen-graph"', 1e-4, False),
        ('"frozen-graph"', 0.01, True),
        ('{ format = "onnx", name = "frozen-graph", max-error = 0.02 }', 0.02, False),
        ('{ format = "onnx", name = "frozen-graph", max-error = 0.02 }', 0.03, True),
        ('{ format = "tflite", name = "frozen-graph", quantize = "dynamic-range" }', 0.1, False),
        ('{ format = "tflite", name = "frozen-graph", quantize = "none" }', 0.1, True),
    ],
)
def test_max_error_counts_as_far_as_the_target_goes(repository, target, max_error, loose):
    config = repository / "model-export.toml"
    config.write_text(config.read_text().replace('"saved-model", "frozen-graph"', target))
    job = entry(repository)
    (graph,) = (a for a in job.artifacts if a.name == "frozen-graph")
    own = own_model(job, [repository], repository / "dist")
    assert own is not None
    assert bool(loosened(job, replace(graph, max_error=max_error), own)) is loose


def test_a_configuration_of_other_models_is_passed_over(repository, tmp_path):
    """As that of the folder that verify was started in."""
    here = tmp_path / "here"
    here.mkdir()
    other = '[models.other]\ncheckpoints = ["c.keras"]\ntargets = ["saved-model"]\n'
    (here / "model-export.toml").write_text(f"version = 1\n{other}")
    own = own_model(entry(repository), [here, repository], repository / "dist")
    assert own is not None
    assert own.name == "affine"


def test_no_format_takes_more_for_itself_than_is_believed():
    for target in registry().values():
        if "max-error" in target.OPTIONS:
            default = str(target.OPTIONS["max-error"]["description"]).split("Default: ")[1]
            *quantised, plain = (
                float(n) for n in re.findall(r" (\d[\d.]*\d)(?=[ ,])", f" {default}")
            )
            assert plain == ROUNDING
            assert max(quantised, default=0) <= QUANTISED


def test_a_configuration_inside_the_folder_is_not_the_persons_own(repository):
    shutil.copy(repository / "model-export.toml", repository / "dist")
    job = entry(repository)
    assert own_model(job, [repository / "dist"], repository / "dist") is None
    assert (
        own_model(
            replace(job, config="../model-export.toml"), [repository / "dist"], repository / "dist"
        )
        is None
    )
    assert own_model(job, [repository], repository / "dist") is not None


def test_bytes_are_compared_although_the_manifest_excuses_them(repository):
    """What is stored has bytes to compare: only where nothing is may a format be excused."""
    unproven = {"payload": "quantised", "signature": "no time"}

    def change(job) -> None:
        every_artifact(unproven=unproven)(job)
        for variable in job["variables"]:
            variable["sha256"] = "0" * 64

    edit(repository, change)
    code, verdict, text = verified(repository)
    assert (code, verdict) == (ExitCode.VERIFY, "failed"), text
    assert "stores other bytes for variable" in text


@pytest.mark.parametrize(
    "change",
    [
        every_artifact(proofs=[]),
        every_artifact(max_error=1.0),
        lambda job: [v.update(rtol=1.0) for a in job["artifacts"] for v in a["verdicts"]],
        lambda job: job["artifacts"][0].update(unproven={"values": "no time"}),
    ],
    ids=["no-proofs", "max-error", "rtol", "unproven"],
)
def test_a_release_takes_no_manifest_for_proof_that_no_export_writes(repository, change):
    edit(repository, change)
    with pytest.raises(CkptActionError) as raised:
        read_folder(repository / "dist")
    assert {p.code for p in raised.value.problems} == {ExitCode.RELEASE}
    assert "affine is not proven" in str(raised.value)
    manifest = read_folder(repository / "dist", allow_unproven=["affine"])
    (job,) = (job for job in manifest.jobs if job.name == "affine")
    assert job_status(job) is Status.UNPROVEN
