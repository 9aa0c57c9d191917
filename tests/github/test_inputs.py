"""What `action.yml` is given, before anything is installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ckpt_action.action import environment
from ckpt_action.action.credentials import refuse_kept_credentials
from ckpt_action.action.environment import ROOT, cache_folder, install_commands
from ckpt_action.action.events import refuse_foreign_head
from ckpt_action.action.inputs import read_inputs
from ckpt_action.action.tensorflow_js import tensorflow_js
from ckpt_action.engine.tfjs.node import node_packages
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
        ({"retention_days": "0"}, "no number of days"),
        ({"retention_days": "1.5"}, "no number of days"),
        ({"upload": "yes"}, "input `upload`: 'yes' is neither"),
        ({"cache": "True"}, "input `cache`: 'True' is neither"),
        ({"reuse": ""}, "input `reuse`: '' is neither"),
        ({"upload": "true", "output_dir": "out/.dist"}, "'out/.dist' is hidden"),
        ({"requirements": "none.txt"}, "none.txt"),
        ({"jobs": "many"}, "'many' is no number"),
        ({"python": "python3", "tensorflow_version": "2.16"}, "nothing is installed"),
    ],
)
def test_inputs_that_cannot_be_meant(tmp_path: Path, inputs: dict[str, str], said: str) -> None:
    with pytest.raises(CkptActionError, match=re.escape(said)):
        read_inputs(environ(tmp_path, **inputs))


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ('output-dir = ".dist"', True),
        ("  output-dir='out/.cache/dist' # here", True),
        ('output-dir = "../dist"', False),
        ('# output-dir = ".dist"', False),
        ('output-dir = "dist"', False),
    ],
)
def test_a_hidden_folder_in_the_configuration_is_refused_before_anything_is_installed(
    tmp_path: Path, line: str, hidden: bool
) -> None:
    given = environ(tmp_path)
    (tmp_path / "model-export.toml").write_text(f"version = 1\n\n[export]\n{line}\n")
    if not hidden:
        assert read_inputs(given)
        return
    with pytest.raises(CkptActionError, match=r"input `config`: its `output-dir` .* is hidden"):
        read_inputs(given)


def test_all_of_them_are_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(CkptActionError) as raised:
        read_inputs(environ(tmp_path, jobs="x", artifact_name="/", config="y"))
    assert len(raised.value.problems) == 3


def test_what_the_repository_may_allow_is_left_to_it(tmp_path: Path) -> None:
    given = {"retention_days": "400", "upload": "false", "output_dir": ".dist"}
    assert read_inputs(environ(tmp_path, **given)).output_dir == ".dist"


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
    assert package == f"{ROOT}[keras-2,tensorflow]"
    assert rest == ["tensorflow==2.16.2", "tf-keras==2.16.*", "-r", tmp_path / "r.txt"]
    ((_, *series),) = install_commands(read_inputs(environ(tmp_path, tensorflow_version="2.15")))
    assert series == ["tensorflow==2.15.*", "tf-keras==2.15.*"]


@pytest.mark.parametrize(
    ("declared", "extras"),
    [
        ('"saved-model", "frozen-graph"', "keras-2,tensorflow"),
        ("'tflite'", "keras-2,tensorflow,tflite"),
        ('{ format = "onnx" }, "tfjs"', "keras-2,onnx,tensorflow"),
    ],
)
def test_what_the_targets_need_is_installed_with_another_tensorflow(
    tmp_path: Path, declared: str, extras: str
) -> None:
    given = environ(tmp_path, tensorflow_version="2.16")
    (tmp_path / "model-export.toml").write_text(f"[models.m]\ntargets = [{declared}]\n")
    ((package, *_),) = install_commands(read_inputs(given))
    assert package == f"{ROOT}[{extras}]"


PACKAGE = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "lenses"
version = "1.0"
"""
BACKEND = """\
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    info = "lenses-1.0.dist-info"
    with zipfile.ZipFile(f"{folder}/lenses-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("lenses.py", "FOCUS = 50")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: lenses\\nVersion: 1.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return "lenses-1.0-py3-none-any.whl"

build_wheel = build_editable
"""


@pytest.mark.parametrize("line", ["-e .", "./"])
def test_requirements_mean_the_users_repository_and_not_the_actions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    """What else is installed takes the package registry, and is left out."""
    (tmp_path / "pyproject.toml").write_text(PACKAGE)
    (tmp_path / "backend.py").write_text(BACKEND)
    (tmp_path / "requirements.txt").write_text(line)
    variables = environ(tmp_path, requirements="requirements.txt", config="model-export.toml")
    uv = Path(sys.executable).with_name("uv")
    monkeypatch.setattr(environment, "_install_uv", lambda folder: uv)
    monkeypatch.setattr(environment, "install_commands", lambda i, _: (("-r", *i.requirements),))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.chdir(ROOT)  # where the action's steps run
    given = variables | {"RUNNER_TEMP": str(tmp_path / "temp")}
    python = environment.interpreter(read_inputs(given), given)
    listed = [uv, "pip", "list", "--quiet", "--format", "json", "--python", python]
    packages = json.loads(subprocess.run(listed, capture_output=True, check=True).stdout)
    assert [package["name"] for package in packages] == ["lenses"]


def test_uv_is_locked_to_what_the_development_environment_has() -> None:
    locked = (ROOT / "requirements" / "uv.txt").read_text()
    assert locked.startswith("uv==")
    assert locked in (ROOT / "requirements" / "dev.txt").read_text()


def tfjs_environ(tmp_path: Path, declared: str, **more: str) -> dict[str, str]:
    given = environ(tmp_path, config="web.toml") | {"RUNNER_TEMP": str(tmp_path / "temp")}
    (tmp_path / "web.toml").write_text(f"[models.m]\ntargets = [{declared}]\n")
    return os.environ | {"npm_config_offline": "true"} | given | more


@pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm")
def test_tensorflow_js_is_installed_where_a_model_wants_it(tmp_path: Path) -> None:
    """As locked, from what npm keeps of the packages of the browser tests."""
    variables = tfjs_environ(tmp_path, "'tfjs'")
    try:
        folder = tensorflow_js(read_inputs(variables), variables)
    except CkptActionError as error:
        if any("ENOTCACHED" in line for line in error.problems[0].details):
            pytest.skip("npm keeps no TensorFlow.js")
        raise
    assert Path(folder).is_relative_to(cache_folder(variables))
    assert node_packages({"CKPT_ACTION_TFJS": folder})

    kept = variables | {"npm_config_cache": str(tmp_path / "empty")}
    assert tensorflow_js(read_inputs(kept), kept) == folder


def test_tensorflow_js_is_left_to_who_named_it_and_to_who_wants_none(tmp_path: Path) -> None:
    named = tfjs_environ(tmp_path, '"tfjs"', CKPT_ACTION_TFJS="web")
    assert tensorflow_js(read_inputs(named), named) == "web"
    own = tfjs_environ(tmp_path, '"tfjs"', CKPT_ACTION_PYTHON="python3")
    without = tfjs_environ(tmp_path, '"tfjs"', PATH=str(tmp_path))
    for variables in (own, without):
        assert tensorflow_js(read_inputs(variables), variables) == ""
    none = tfjs_environ(tmp_path, '"saved-model"')
    assert tensorflow_js(read_inputs(none), none) == ""


def test_tensorflow_js_that_cannot_be_had_says_so(tmp_path: Path) -> None:
    variables = tfjs_environ(tmp_path, '"tfjs"', npm_config_cache=str(tmp_path / "empty"))
    with pytest.raises(CkptActionError, match="CKPT_ACTION_TFJS"):
        tensorflow_js(read_inputs(variables), variables)


def test_tensorflow_js_is_locked_to_what_the_tests_run() -> None:
    ours, tests = (
        json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
        for folder in ("requirements/tfjs", "tests/browser")
    )
    for name in (name for name in ours if name.startswith("node_modules/@tensorflow/")):
        assert ours[name]["integrity"] == tests[name]["integrity"]


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


HEADER = """\
[core]
	bare = false
[http "https://github.com/"]
	extraheader = AUTHORIZATION: basic eDpnaHNfMQ==
"""
INCLUDED = """\
[includeIf "gitdir:/github/workspace/.git"]
	path = /github/runner_temp/git-credentials-7f0c-11.config
"""
KEY = '[core]\n\tsshCommand = \\"/usr/bin/ssh\\" -i \\"$RUNNER_TEMP/1a2b\\"\n'
TOKEN = '[remote "origin"]\n\turl = https://ghp_0123456789abcdef@github.com/own/models\n'
SECRET = '[remote "origin"]\n\tpushurl = "http://someone:secret@git.example/own/models"\n'
LOGIN = '[remote "origin"]\n\turl = https://x-access-token:ghs_1@github.com/own/models\n'
INSTEAD = '[url "https://x-access-token:ghs_1@github.com/"]\n\tinsteadOf = git@github.com:\n'
STORE = "[credential]\n\thelper = store --file=.passwords\n"
CLEAN = """\
[core]
	sshCommand = ssh -o BatchMode=yes
[remote "origin"]
	url = https://github.com/own/models
[remote "named"]
	url = https://someone@git.example/own/models
[remote "long"]
	url = https://firstname.lastname.of.somebody@git.example/own/models
[url "https://github.com/"]
	insteadOf = git@github.com:
[credential]
	helper = cache
[remote "organization"]
	url = http://own@git.example:8080/own/models
[remote "ssh"]
	url = ssh://git@github.com/own/models
[includeIf "gitdir:~/own/"]
	path = ~/.gitconfig-own
"""


@pytest.mark.parametrize("settings", [HEADER, INCLUDED, KEY, LOGIN, TOKEN, SECRET, INSTEAD, STORE])
@pytest.mark.parametrize(
    "place",
    [
        ".git/config",
        ".git/modules/nets/shared/config",
        ".git/worktrees/other/config.worktree",
        "other/.git/config",
        "vendor/nets/shared/.git/config",
    ],
)
def test_a_token_that_a_checkout_left_is_refused(tmp_path: Path, place: str, settings: str) -> None:
    file = tmp_path / place
    file.parent.mkdir(parents=True)
    file.write_text(settings)
    with pytest.raises(CkptActionError, match=f"its token in {re.escape(place)}") as raised:
        refuse_kept_credentials(tmp_path)
    assert "persist-credentials: false" in raised.value.problems[0].hint
    file.write_text(CLEAN)
    assert refuse_kept_credentials(tmp_path) == ()


def test_a_working_tree_is_followed_to_its_clone(tmp_path: Path) -> None:
    """As git lays it out: the settings are those of the clone, wherever that is."""
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", tmp_path / "clone")
    (tmp_path / "clone").mkdir()
    tree = tmp_path / "workspace" / "deep" / "tree"
    for arguments in (
        ("init", "-q"),
        ("commit", "-q", "--allow-empty", "-m", "first"),
        ("worktree", "add", "-q", tree),
        ("remote", "add", "origin", "https://own:ghs_1@github.com/own/models"),
    ):
        subprocess.run([*git, *arguments], check=True, capture_output=True)
    assert (tree / ".git").is_file()
    with pytest.raises(CkptActionError, match=re.escape(str(tmp_path / "clone/.git/config"))):
        refuse_kept_credentials(tmp_path / "workspace")


def test_a_search_that_ends_early_says_so(tmp_path: Path) -> None:
    """The upper folders come first, and packages of others are no clones."""
    for number in range(20):
        (tmp_path / f"{number:02}" / "node_modules" / "left-pad" / "deep").mkdir(parents=True)
    (note,) = refuse_kept_credentials(tmp_path, most=20)
    assert "more than 20 folders" in note.message
    assert not note.is_error
    assert refuse_kept_credentials(tmp_path, most=21) == ()
    (tmp_path / "19" / ".git").mkdir()
    (tmp_path / "19" / ".git" / "config").write_text(HEADER)
    (tmp_path / "00" / "a" / "b").mkdir(parents=True)
    with pytest.raises(CkptActionError, match=re.escape("19/.git/config")):
        refuse_kept_credentials(tmp_path, most=21)
