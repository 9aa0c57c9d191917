"""What `action.yml` is given, before anything is installed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ckpt_action.action.environment import ROOT, install_commands
from ckpt_action.action.events import refuse_foreign_head
from ckpt_action.action.inputs import read_inputs
from ckpt_action.errors import CkptActionError


def environ(tmp_path: Path, **inputs: str) -> dict[str, str]:
    (tmp_path / "model-export.toml").touch()
    given = {f"CKPT_ACTION_{name.upper()}": value for name, value in inputs.items()}
    return {"GITHUB_WORKSPACE": str(tmp_path), "GITHUB_JOB": "export", **given}


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"config": "nowhere.toml"}, "there is no file 'nowhere.toml'"),
        ({"tensorflow_version": "2.x"}, "'2.x' is no version"),
        ({"artifact_name": "a:b"}, "may not hold :"),
        ({"retention_days": "365"}, "no number of days"),
        ({"retention_days": "0"}, "no number of days"),
        ({"requirements": "none.txt"}, "none.txt"),
        ({"jobs": "many"}, "'many' is no number"),
        ({"python": "python3", "tensorflow_version": "2.16"}, "nothing is installed"),
    ],
)
def test_inputs_that_cannot_be_meant(tmp_path: Path, inputs: dict[str, str], said: str) -> None:
    with pytest.raises(CkptActionError, match=re.escape(said)):
        read_inputs(environ(tmp_path, **inputs))


def test_all_of_them_are_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(CkptActionError) as raised:
        read_inputs(environ(tmp_path, jobs="x", artifact_name="/", config="y"))
    assert len(raised.value.problems) == 3


def test_artifact_names_differ_where_jobs_or_configurations_do(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "model-export.toml").touch()
    (tmp_path / "other.toml").touch()
    uses = [
        {},
        {"job_total": "4", "job_index": "0"},
        {"job_total": "4", "job_index": "1"},
        {"config": "a/b/model-export.toml"},
        {"config": "other.toml"},
    ]
    names = [read_inputs(environ(tmp_path, **use)).artifact_name for use in uses]
    assert names == [
        "models-export",
        "models-export-0",
        "models-export-1",
        "models-export-a-b-model-export",
        "models-export-other",
    ]


def test_the_locked_set_is_installed_unless_something_else_is_asked_for(tmp_path: Path) -> None:
    locked = install_commands(read_inputs(environ(tmp_path)))
    assert locked == (
        ("--require-hashes", "-r", ROOT / "requirements" / "export.txt"),
        ("--no-deps", ROOT),
    )
    (tmp_path / "r.txt").touch()
    ((package, *rest),) = install_commands(
        read_inputs(environ(tmp_path, tensorflow_version="2.16.2", requirements="r.txt\n"))
    )
    assert str(package).endswith("[tensorflow,keras-2]")
    assert rest == ["tensorflow==2.16.2", "tf-keras==2.16.*", "-r", tmp_path / "r.txt"]
    ((_, *series),) = install_commands(read_inputs(environ(tmp_path, tensorflow_version="2.15")))
    assert series == ["tensorflow==2.15.*", "tf-keras==2.15.*"]


def test_uv_is_locked_to_what_the_development_environment_has() -> None:
    locked = (ROOT / "requirements" / "uv.txt").read_text()
    assert locked.startswith("uv==")
    assert locked in (ROOT / "requirements" / "dev.txt").read_text()


HEAD = {"full_name": "stranger/models"}


@pytest.mark.parametrize(
    ("name", "event", "refused"),
    [
        ("pull_request_target", {"pull_request": {"head": {"repo": HEAD}}}, True),
        ("pull_request_target", {"pull_request": {"head": {"repo": None}}}, True),
        ("pull_request_target", {}, True),
        ("workflow_run", {"workflow_run": {"head_repository": HEAD}}, True),
        ("workflow_run", {"workflow_run": {"head_repository": {"full_name": "Own/Models"}}}, False),
        ("pull_request", {"pull_request": {"head": {"repo": HEAD}}}, False),
        ("push", {}, False),
    ],
)
def test_events_about_a_strangers_code(
    tmp_path: Path, name: str, event: dict[str, Any], refused: bool
) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event))
    given = {
        "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": str(file),
        "GITHUB_REPOSITORY": "own/models",
    }
    if not refused:
        refuse_foreign_head(given)
        return
    with pytest.raises(CkptActionError, match="is refused"):
        refuse_foreign_head(given)
    with pytest.raises(CkptActionError, match="an unknown repository is refused"):
        refuse_foreign_head({**given, "GITHUB_EVENT_PATH": ""})
