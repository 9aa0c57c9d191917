from __future__ import annotations

import json
from pathlib import Path

import pytest

from ckpt_action.report.github import publish, publish_failure
from tests.report import sample
from tests.report.runner_rules import parse_command, parse_file, split_lines


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    names = {"GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary"}
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(tmp_path),
        **{name: str(tmp_path / file) for name, file in names.items()},
    }


def outputs(environ: dict[str, str]) -> dict[str, str]:
    return parse_file(Path(environ["GITHUB_OUTPUT"]).read_text())


def test_a_proven_run(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dist = tmp_path / "out" / "dist"
    dist.mkdir(parents=True)
    (dist / "manifest.json").write_text("{}")
    (dist / "SHA256SUMS").write_text("")
    publish(sample.GREEN, environ, output_dir=dist)
    found = outputs(environ)
    assert found["verdict"] == "proven"
    assert found["manifest"] == "out/dist/manifest.json"
    assert found["digests"] == "out/dist/SHA256SUMS"
    assert found["output-dir"] == "out/dist"
    assert [a["folder"] for a in json.loads(found["artifacts"])] == [
        "digits/saved-model",
        "digits/frozen-graph",
    ]
    assert Path(environ["GITHUB_STEP_SUMMARY"]).read_text().startswith("## ✅")
    assert "1 model exported and proven" in capsys.readouterr().out


def test_a_failed_run_names_only_what_was_proven(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(sample.RED, environ, output_dir=tmp_path / "dist")
    found = outputs(environ)
    assert found["verdict"] == "failed"
    assert {a["model"] for a in json.loads(found["artifacts"])} == {"digits"}
    assert "manifest" not in found
    commands = [parse_command(line) for line in split_lines(capsys.readouterr().out)]
    errors = [c for c in commands if c and c.name == "error"]
    assert [e.properties["line"] for e in errors] == ["24", "27", "31"]
    assert all(c.name in {"error", "warning"} for c in commands if c)
    said = [c.data for c in commands if c]
    for model in ("models.captioner.targets[0]", "captioner@1200", "models.lost", "lost"):
        assert [text.startswith(f"{model}: ") for text in said].count(True) == 1


def test_a_run_that_never_began(environ: dict[str, str]) -> None:
    problems = sample.lost().problems
    publish_failure(problems, environ, config="model-export.toml")
    assert outputs(environ) == {"verdict": "failed"}
    assert Path(environ["GITHUB_STEP_SUMMARY"]).read_text().startswith("## ❌ The run failed")


def test_without_files_to_write_it_only_prints(tmp_path: Path) -> None:
    publish(sample.GREEN, {}, output_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []
