"""`verify` on folders that were changed after the export."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from command import ckpt_action

from ckpt_action.cli import main
from ckpt_action.errors import ExitCode


@pytest.fixture
def dist(exported, tmp_path):
    """A copy of an exported folder, alone: neither the code nor the golden file is near."""
    return Path(shutil.copytree(exported / "dist", tmp_path / "copy"))


@pytest.mark.parametrize("part", ["manifest.json", "SHA256SUMS", "dense", "dense/saved-model"])
def test_a_part_of_a_folder_is_answered_with_the_folder(part, tmp_path, monkeypatch, capsys):
    (tmp_path / "dist" / "dense" / "saved-model").mkdir(parents=True)
    for name in ("manifest.json", "SHA256SUMS"):
        (tmp_path / "dist" / name).touch()
    monkeypatch.chdir(tmp_path)
    assert main(["verify", f"dist/{part}"]) == ExitCode.OUTPUT
    assert "help: Give the whole folder: `ckpt-action verify dist`." in capsys.readouterr().err


def change_byte(file: Path, weight: bytes) -> None:
    """Flip the lowest bit of the first byte of `weight` where the file stores it."""
    data = bytearray(file.read_bytes())
    assert data.count(weight) == 1
    data[data.index(weight)] ^= 1
    file.write_bytes(bytes(data))


def weight_bytes(exported: Path, name: str) -> bytes:
    """The bytes of one variable, found in the SavedModel by its digest."""
    manifest = json.loads((exported / "dist" / "manifest.json").read_text())
    variables = [v for job in manifest["jobs"] for v in job["variables"]]
    (variable,) = (v for v in variables if v["path"].endswith(name))
    size = 4
    for length in variable["shape"]:
        size *= length
    (file,) = (exported / "dist").rglob(f"{'affine' if name == 'shift' else 'dense'}/**/*.data-*")
    data = file.read_bytes()
    return next(
        data[i : i + size]
        for i in range(len(data))
        if hashlib.sha256(data[i : i + size]).hexdigest() == variable["sha256"]
    )


def sign_again(dist: Path) -> None:
    """As if the manifest had been written for the changed files: digests of files say nothing."""
    manifest = json.loads((dist / "manifest.json").read_text())
    for job in manifest["jobs"]:
        for artifact in job["artifacts"]:
            for record in artifact["files"]:
                data = (dist / artifact["folder"] / record["path"]).read_bytes()
                record |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    (dist / "manifest.json").write_text(text)
    unlisted = {"SHA256SUMS", "report.html"}
    files = [f for f in dist.rglob("*") if f.is_file() and f.name not in unlisted]
    lines = {
        f.relative_to(dist).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files
    }
    (dist / "SHA256SUMS").write_text("".join(f"{lines[n]}  {n}\n" for n in sorted(lines)))


def errors(run) -> list[str]:
    data = json.loads(run.stdout)
    found = data["problems"] + [
        p
        for job in data["jobs"]
        for p in job["problems"] + [q for a in job["artifacts"] for q in a["problems"]]
    ]
    return [p["message"] for p in found if p["severity"] == "error"]


def test_an_untouched_folder_passes_with_its_golden_values(exported):
    run = ckpt_action("verify", "dist", "--format", "json", folder=exported)
    assert run.returncode == 0, run.stdout
    jobs = {job["name"]: job for job in json.loads(run.stdout)["jobs"]}
    for artifact in jobs["affine"]["artifacts"]:
        assert {p["name"]: p["passed"] for p in artifact["proofs"]} == {
            "signature": True,
            "payload": True,
            "golden": True,
        }


def test_without_the_golden_file_the_bytes_are_still_compared(dist):
    run = ckpt_action("verify", dist, folder=dist.parent)
    assert run.returncode == 0, run.stdout
    assert "values were not compared" in run.stdout


def test_the_golden_file_is_found_below_a_base_that_is_named_from_here(exported, dist):
    base = os.path.relpath(exported, dist.parent)
    run = ckpt_action("verify", dist, "--base", base, folder=dist.parent)
    assert run.returncode == 0, run.stdout
    assert "values were not compared" not in run.stdout


def test_one_changed_weight_bit_is_found_and_named(exported, dist):
    """In the SavedModel of one model and in the frozen graph of both, digests made to agree."""
    shift, kernel = weight_bytes(exported, "shift"), weight_bytes(exported, "hidden/kernel")
    (variables,) = (dist / "affine").rglob("*.data-*")
    change_byte(variables, shift)
    change_byte(dist / "affine/frozen-graph/affine.pb", shift)
    change_byte(dist / "dense/frozen-graph/dense.pb", kernel)
    sign_again(dist)
    run = ckpt_action("verify", dist, "--format", "json", folder=dist.parent)
    assert run.returncode == ExitCode.VERIFY
    found = errors(run)
    assert any("'saved-model'" in m and "'shift'" in m for m in found), found
    assert any("'frozen-graph'" in m and "'shift'" in m for m in found), found
    assert any("'frozen-graph'" in m and "hidden/kernel'" in m for m in found), found


def test_changed_missing_and_added_files_are_found(exported, dist):
    change_byte(dist / "affine/frozen-graph/affine.pb", weight_bytes(exported, "shift"))
    (dist / "dense/frozen-graph/dense.io.json").unlink()
    (dist / "dense/extra").write_text("")
    run = ckpt_action("verify", dist, "--format", "json", folder=dist.parent)
    assert run.returncode == ExitCode.VERIFY
    found = errors(run)
    assert any(m.startswith("affine/frozen-graph/affine.pb is not the file") for m in found)
    assert any("dense/frozen-graph/dense.io.json is missing" in m for m in found)
    assert any("dense/extra is not listed" in m for m in found)


def test_a_changed_artifact_is_not_called_proven(exported, tmp_path):
    """Bytes behind the end change nothing that a reader sees; a weight that TensorFlow cannot read
    has one cause, which is the changed file."""
    folder = Path(shutil.copytree(exported, tmp_path / "changed"))
    with (folder / "dist/affine/frozen-graph/affine.io.json").open("a") as file:
        file.write(" ")
    (variables,) = (folder / "dist/affine").rglob("*.data-*")
    change_byte(variables, weight_bytes(exported, "shift"))
    run = ckpt_action("verify", "dist", folder=folder)
    assert run.returncode == ExitCode.VERIFY
    assert run.stdout.splitlines()[0].startswith("1 of 2 models failed: affine (verify)")
    assert "affine: failed" in run.stdout
    rows = [line.split() for line in run.stdout.splitlines()]
    assert ["frozen-graph", "-", "-", "-", "-", "failed"] in rows
    assert ["saved-model", "-", "-", "-", "-", "failed"] in rows
    assert run.stdout.count("error:") == 2, run.stdout
    assert run.stdout.count("its sha256 differs") == 2
    assert "affine: verified" not in run.stderr


def test_what_the_last_export_could_not_make_is_said(dist):
    """`verify` speaks of what lies there; that something is missing, or old, is no secret."""
    manifest = json.loads((dist / "manifest.json").read_text())
    manifest |= {"kept": ["affine"], "failed": ["other"]}
    manifest["jobs"][1]["failed_targets"] = ["tfjs"]
    (dist / "manifest.json").write_text(json.dumps(manifest))
    sign_again(dist)
    run = ckpt_action("verify", dist, folder=dist.parent)
    assert run.returncode == 0, run.stdout
    first = run.stdout.splitlines()[0]
    assert first.endswith("; the last export failed in part"), first
    assert "warning: The last export of affine failed; what lies here is from" in run.stdout
    assert "warning: other is not here: its export failed." in run.stdout
    assert "warning: dense was exported without tfjs, which failed." in run.stdout


def test_of_nothing_nothing_is_proven(dist):
    manifest = json.loads((dist / "manifest.json").read_text()) | {"jobs": [], "failed": ["x"]}
    for model in ("affine", "dense"):
        shutil.rmtree(dist / model)
    (dist / "manifest.json").write_text(json.dumps(manifest))
    sign_again(dist)
    run = ckpt_action("verify", dist, folder=dist.parent)
    assert run.returncode == ExitCode.OUTPUT
    assert "x is not here: its export failed." in run.stdout


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    run = ckpt_action("verify", tmp_path, folder=tmp_path)
    assert run.returncode == ExitCode.OUTPUT
    assert "no manifest.json" in run.stderr


def test_a_manifest_of_another_form_is_refused(dist):
    (dist / "manifest.json").write_text('{"version": 99, "jobs": 3}')
    run = ckpt_action("verify", dist, folder=dist)
    assert run.returncode == ExitCode.OUTPUT
    assert "Traceback" not in run.stderr


def edit(dist: Path, change) -> None:
    """The manifest as somebody else might have written it, with digests that agree."""
    manifest = json.loads((dist / "manifest.json").read_text())
    change(manifest["jobs"][0])
    (dist / "manifest.json").write_text(json.dumps(manifest))
    sign_again(dist)


def library_record(path: str, data: bytes) -> dict[str, object]:
    return {"path": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def test_a_library_that_only_the_manifest_names_is_not_loaded(dist):
    """Wherever it lies: beside the folder, where an archive could have put it, or in it."""
    (dist.parent / "evil.so").write_bytes(b"evil")
    edit(dist, lambda job: job.update(op_libraries=[library_record("evil.so", b"evil")]))
    run = ckpt_action("verify", dist, "--base", ".", "--format", "json", folder=dist.parent)
    assert run.returncode in {ExitCode.VERIFY, ExitCode.ENVIRONMENT}
    found = errors(run)
    assert any("needs the op library evil.so" in message for message in found), found
    assert not any("cannot be loaded" in message for message in found)


def test_a_library_that_the_person_names_is_loaded(dist):
    (dist.parent / "ops.so").write_bytes(b"no library")
    edit(dist, lambda job: job.update(op_libraries=[library_record("build/ops.so", b"no library")]))
    run = ckpt_action(
        *("verify", dist, "--op-library", "ops.so", "--format", "json"), folder=dist.parent
    )
    assert any("ops.so cannot be loaded into TensorFlow" in message for message in errors(run))


def test_a_library_in_the_folder_is_refused(dist):
    (dist / "evil.so").write_bytes(b"evil")
    run = ckpt_action("verify", dist, "--op-library", dist / "evil.so", folder=dist.parent)
    assert run.returncode == ExitCode.ENVIRONMENT
    assert "lies in the folder that is to be verified" in run.stderr


@pytest.mark.parametrize("folder", ["..", "../elsewhere", "/", "affine/../..", "a\0b"])
def test_a_manifest_that_leads_out_of_the_folder_is_refused(dist, folder):
    manifest = json.loads((dist / "manifest.json").read_text())
    manifest["jobs"][0]["artifacts"][0] |= {"folder": folder, "files": []}
    (dist / "manifest.json").write_text(json.dumps(manifest))
    run = ckpt_action("verify", dist, folder=dist.parent)
    assert run.returncode == ExitCode.VERIFY
    assert "outside of the folder" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_graph_outside_of_its_folder_is_refused(dist):
    file = dist / "affine/frozen-graph/affine.io.json"
    file.rename(file.parent / "moved")
    (dist.parent / "affine.pb").write_bytes((file.parent / "affine.pb").read_bytes())
    data = json.loads((file.parent / "moved").read_text()) | {"graph": "../../../affine.pb"}
    (file.parent / "moved").unlink()
    file.write_text(json.dumps(data))
    sign_again(dist)
    run = ckpt_action("verify", dist, "--format", "json", folder=dist.parent)
    assert any("affine.pb is not a file beside it" in message for message in errors(run))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda job: job.update(variables=[]), "no digest of variable"),
        (lambda job: job["artifacts"][0].update(format="caffe"), "unknown format 'caffe'"),
        (lambda job: job["artifacts"][0].update(payloads=[]), "cannot be read"),
        (lambda job: job.update(name="../../../x"), "it has affine/saved-model for ../../../x"),
    ],
)
def test_an_edited_manifest_is_no_defect(dist, change, says):
    edit(dist, change)
    run = ckpt_action("verify", dist, folder=dist.parent)
    assert run.returncode in {ExitCode.VERIFY, ExitCode.OUTPUT}
    assert says in run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr
    assert "KeyError" not in run.stdout + run.stderr


def test_a_folder_whose_values_nobody_compares_is_not_called_proven(dist):
    run = ckpt_action("verify", str(dist), folder=dist.parent)
    assert run.returncode == 0, run.stdout
    assert ": proven" not in run.stdout
    assert "not shown: values of saved-model: not compared with anything" in run.stdout


def test_looser_tolerances_in_the_manifest_are_named(exported, tmp_path):
    folder = Path(shutil.copytree(exported, tmp_path / "edited"))
    manifest = folder / "dist" / "manifest.json"
    content = json.loads(manifest.read_text())
    for job in content["jobs"]:
        job |= {"rtol": 0.5, "atol": 100.0}
    manifest.write_text(json.dumps(content))
    sign_again(folder / "dist")
    run = ckpt_action("verify", "dist", folder=folder)
    assert "affine is compared with rtol 0.5, as manifest.json says" in run.stdout
    assert "affine is compared with atol 100, as manifest.json says" in run.stdout
