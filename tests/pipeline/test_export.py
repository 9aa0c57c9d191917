"""The whole pipeline on real checkpoints, run as a person runs it."""

from __future__ import annotations

import hashlib
import html
import io
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
from command import ENVIRON, ckpt_action

from ckpt_action.config.load import load_config
from ckpt_action.errors import ExitCode
from ckpt_action.jobs.job import JobRun
from ckpt_action.manifest import read_manifest
from ckpt_action.output.file_check import file_problems
from ckpt_action.plan import make_plan
from ckpt_action.progress import Progress

ROOT = Path(__file__).resolve().parents[2]


def tree(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def exported_files(folder: Path) -> dict[str, str]:
    """Without the report, which tells of the last run."""
    return {path: digest for path, digest in tree(folder).items() if path != "report.html"}


def test_what_an_export_leaves(exported):
    files = tree(exported / "dist")
    assert {name.split("/")[0] for name in files} == {
        "dense",
        "affine",
        "manifest.json",
        "report.html",
        "SHA256SUMS",
    }
    assert {"affine/frozen-graph/affine.pb", "affine/frozen-graph/affine.io.json"} <= files.keys()
    sums = dict(
        line.split("  ")[::-1]
        for line in (exported / "dist" / "SHA256SUMS").read_text().splitlines()
    )
    assert list(sums) == sorted(sums)
    del files["SHA256SUMS"], files["report.html"]
    assert sums == files


def test_the_manifest_has_the_form_of_its_schema_and_no_path_of_this_machine(exported):
    schema = json.loads((ROOT / "schema" / "manifest.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    text = (exported / "dist" / "manifest.json").read_text()
    jsonschema.validate(json.loads(text), schema)
    assert str(exported) not in text
    assert ".staging" not in text
    assert "seconds" not in text


def test_every_artifact_has_every_proof(exported):
    manifest = read_manifest(exported / "dist")
    for job in manifest.jobs:
        assert {p.name: p.passed for p in job.proofs} == {
            "golden": True if job.name == "affine" else None,
            "deterministic": True,
            "sensitive": True,
            "rows": True,
            "origin": True,
            "eager": True,
        }
        for artifact in job.artifacts:
            shown = {"signature", "payload", "values", "edges"} | (
                {"golden"} & {job.golden and "golden"}
            )
            assert {p.name for p in artifact.proofs if p.passed} == shown
            probes = {v.probe for v in artifact.verdicts}
            assert len(probes) == (5 if job.golden else 4), "two are seeded beside golden ones"
        assert {v.source for v in job.variables} != {""}


def test_equal_runs_give_equal_bytes(exported, repository):
    """Another process, hash seed, number of workers and output folder."""
    run = ckpt_action(
        *("export", "--jobs", "2", "--output-dir", repository / "elsewhere"),
        folder=repository,
        hash_seed="77",
    )
    assert run.returncode == 0, run.stderr
    assert tree(repository / "elsewhere") == tree(exported / "dist")


SITE = """
import threading
from pathlib import Path

threading.Thread(target=threading.Event().wait, daemon=True).start()
exists = Path.exists
Path.exists = lambda path: str(path) != "/proc/self/pagemap" and exists(path)
"""


def test_a_machine_that_can_do_less_gives_equal_bytes_and_says_what_it_costs(exported, tmp_path):
    """A thread more in every Python keeps servers from forking, and nothing tells what was read."""
    repository = Path(shutil.copytree(exported, tmp_path / "repository"))
    shutil.rmtree(repository / "dist")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SITE)
    path = f"{tmp_path / 'site'}{os.pathsep}{ENVIRON['PYTHONPATH']}"
    run = ckpt_action("export", "--model", "affine", folder=repository, PYTHONPATH=path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert tree(repository / "dist" / "affine") == tree(exported / "dist" / "affine")
    assert run.stdout.count("note: children could not be forked") == 1
    assert run.stdout.count("note: initial values were drawn") == 1
    page = (repository / "dist" / "report.html").read_text()
    assert "children could not be forked" in page
    assert read_manifest(repository / "dist").jobs[0].problems == ()
    assert "could not be forked" not in (exported / "report.json").read_text()


def test_the_report_says_what_the_manifest_leaves_out(exported):
    report = json.loads((exported / "report.json").read_text())
    assert all(job["seconds"] > 0 and job["peak_rss"] > 1 << 27 for job in report["jobs"])
    assert (exported / "dist" / "report.html").is_file()


def test_one_model_again_keeps_the_others(exported, tmp_path):
    repository = Path(shutil.copytree(exported, tmp_path / "repository"))
    before = exported_files(repository / "dist")
    for file in (repository / "runs/affine").glob("ckpt-1.*"):
        shutil.copy(file, file.with_name(file.name.replace("ckpt-1", "ckpt-0")))
    run = ckpt_action("export", "--model", "affine", "--no-reuse", folder=repository)
    assert run.returncode == 0, run.stderr
    assert exported_files(repository / "dist") == before
    assert "ckpt-1 is the latest of: ckpt-0, ckpt-1." in run.stdout
    assert run.stdout.endswith("\nExported to dist. Report: dist/report.html\n")


def test_an_export_repairs_what_was_damaged(exported, tmp_path):
    repository = Path(shutil.copytree(exported, tmp_path / "repository"))
    before = exported_files(repository / "dist")
    frozen = repository / "dist" / "affine" / "frozen-graph"
    data = bytearray((frozen / "affine.pb").read_bytes())
    data[-1] ^= 1
    (frozen / "affine.pb").write_bytes(data)
    (frozen / "affine.io.json").unlink()
    run = ckpt_action("export", "--model", "affine", folder=repository)
    assert run.returncode == 0, run.stderr
    assert exported_files(repository / "dist") == before
    assert [*file_problems(read_manifest(repository / "dist"), repository / "dist")] == []


def test_a_failed_export_keeps_what_was_there(exported, tmp_path):
    repository = Path(shutil.copytree(exported, tmp_path / "repository"))
    models = repository / "models.py"
    models.write_text(models.read_text().replace("x * self.scale", "x / self.scale"))
    before = tree(repository / "dist")
    run = ckpt_action("export", "--model", "affine", folder=repository)
    assert run.returncode == ExitCode.VERIFY
    assert "golden" in run.stdout
    after = tree(repository / "dist")
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"manifest.json", "report.html", "SHA256SUMS"}
    page = (repository / "dist" / "report.html").read_text()
    assert "golden values" in page
    assert "dense" in page
    assert read_manifest(repository / "dist").kept == ("affine",)
    assert "warning: 'affine' of the earlier export stays" in run.stdout


def test_a_target_of_the_earlier_export_goes_with_a_word(exported, tmp_path):
    """No folder mixes two exports: what fails beside what passes is not what was there before."""
    repository = Path(shutil.copytree(exported, tmp_path / "repository"))
    config = repository / "model-export.toml"
    limited = '[{ format = "saved-model", max-size = "1 kB" }, "frozen-graph"]'
    config.write_text(config.read_text().replace('["saved-model", "frozen-graph"]', limited))
    run = ckpt_action("export", "--model", "dense", folder=repository)
    assert run.returncode == ExitCode.GATE
    assert not (repository / "dist/dense/saved-model").exists()
    assert "more than its `max-size` of 1 kB." in run.stdout
    assert run.stdout.endswith("\nReport: dist/report.html\n")
    gone = "'saved-model' of the earlier export of 'dense' was removed: it failed now"
    assert f"warning: {gone}" in run.stdout
    assert gone in html.unescape((repository / "dist/report.html").read_text())


@pytest.mark.parametrize("again", [False, True])
def test_a_checkpoint_that_cannot_be_read_leaves_a_report_that_says_so(exported, tmp_path, again):
    """With an earlier export in the folder, and with none."""
    repository = Path(shutil.copytree(exported, tmp_path / "repository"))
    if not again:
        shutil.rmtree(repository / "dist")
    for model in ("dense", "affine"):
        (repository / "runs" / model / "ckpt-1.index").unlink()
    run = ckpt_action("export", folder=repository)
    assert run.returncode == ExitCode.CHECKPOINT
    manifest = read_manifest(repository / "dist")
    assert (manifest.kept or manifest.failed) == ("affine", "dense")
    title = (repository / "dist/report.html").read_text().partition("<title>")[2]
    assert "proven" not in title.partition("</title>")[0]
    assert ("'dense' of the earlier export stays" in run.stdout) == again
    assert [*file_problems(manifest, repository / "dist")] == []


def test_a_name_that_nobody_declares_touches_nothing(exported, tmp_path):
    repository = Path(shutil.copytree(exported, tmp_path / "repository"))
    before = tree(repository / "dist")
    run = ckpt_action("export", "--model", "affinity", folder=repository)
    assert run.returncode == ExitCode.USAGE
    assert "Report:" not in run.stdout
    assert tree(repository / "dist") == before


def test_somebody_elses_folder_is_not_moved_away(repository):
    mine = repository / "dist" / "affine" / "notes.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    run = ckpt_action("export", folder=repository)
    assert run.returncode == ExitCode.OUTPUT
    assert "in the way" in run.stderr
    assert tree(repository / "dist").keys() == {"affine/notes.txt"}


def test_a_variable_that_no_output_depends_on_may_be_left_out(repository):
    """The SavedModel keeps it; the frozen graph has no node for it and says so."""
    config = repository / "model-export.toml"
    text = config.read_text().replace("serving_default]", 'serving_default]\nmethod = "scaled"')
    config.write_text(text.partition("[models.affine.verify]")[0])
    run = ckpt_action("export", "--model", "affine", folder=repository)
    assert run.returncode == 0, run.stdout + run.stderr
    (job,) = read_manifest(repository / "dist").jobs
    assert {artifact.name: artifact.unread for artifact in job.artifacts} == {
        "saved-model": (),
        "frozen-graph": ("shift",),
    }
    again = ckpt_action("verify", "dist", folder=repository)
    assert again.returncode == 0, again.stdout


def test_changes_that_are_not_committed_are_said(repository):
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]
    for arguments in (["init", "-q"], ["add", "models.py"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *arguments], cwd=repository, check=True)
    with (repository / "models.py").open("a") as file:
        file.write("# changed\n")
    run = ckpt_action("export", "--model", "affine", folder=repository)
    assert run.returncode == 0, run.stderr
    (job,) = read_manifest(repository / "dist").jobs
    assert job.commit
    assert job.dirty
    assert "with changes that are not committed" in (repository / "dist/report.html").read_text()


def test_a_long_export_says_what_it_is_at(repository, supervisor, tmp_path):
    """As often as is asked for here; the words are those of the child."""
    plan = make_plan(load_config(repository / "model-export.toml").config, models=("affine",))
    with io.StringIO() as stream, Progress(stream, interval=0.001) as progress:
        job = JobRun(
            plan.jobs[0],
            supervisor,
            work=tmp_path / "work",
            folder=tmp_path / "made",
            progress=progress,
        )
        assert job.run().exit_code is ExitCode.OK
        said = stream.getvalue()
    assert re.search(r"^affine\S*: rebuilding the model \(\d+ s\)$", said, re.MULTILINE)
