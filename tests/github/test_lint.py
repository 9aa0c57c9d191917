"""Static checks of what GitHub and pre-commit read, each seen to find a planted fault."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]

from ckpt_action.action.inputs import Inputs
from tests.github.documented import documented_workflows
from tests.github.local_runner import HERE, ROOT, RUNNER, node

ACTION, RELEASE = "action.yml", "release/action.yml"
PLAN, SHARD, MERGE = (f".github/actions/{name}/action.yml" for name in ("plan", "export", "merge"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
BIN = Path(sys.executable).parent

Check = Callable[[Path], "subprocess.CompletedProcess[str]"]


def command(*argv: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in argv], cwd=cwd, capture_output=True, text=True, check=False
    )


def workflows(root: Path) -> list[Path]:
    return sorted((root / ".github" / "workflows").glob("*.yml"))


def actions(root: Path) -> list[Path]:
    return [root / ACTION, root / RELEASE, *sorted((root / ".github/actions").glob("*/action.yml"))]


def zizmor(root: Path) -> subprocess.CompletedProcess[str]:
    strict = ("--offline", "--no-progress", "--strict-collection", "--persona=auditor")
    return command(BIN / "zizmor", *strict, root, cwd=root)


def github(root: Path) -> subprocess.CompletedProcess[str]:
    hook, lint = (RUNNER / "json-hook.mjs").as_uri(), RUNNER / "lint.mjs"
    return command(node(), "--import", hook, lint, *actions(root), *workflows(root), cwd=HERE)


def action_schema(root: Path) -> subprocess.CompletedProcess[str]:
    schema = ("--builtin-schema", "vendor.github-actions")
    return command(BIN / "check-jsonschema", *schema, *actions(root), cwd=root)


def workflow_schema(root: Path) -> subprocess.CompletedProcess[str]:
    schema = ("--builtin-schema", "vendor.github-workflows")
    return command(BIN / "check-jsonschema", *schema, *workflows(root), cwd=root)


def dependabot_schema(root: Path) -> subprocess.CompletedProcess[str]:
    schema = ("--builtin-schema", "vendor.dependabot")
    return command(BIN / "check-jsonschema", *schema, ".github/dependabot.yml", cwd=root)


def hooks_by_pre_commit(root: Path) -> subprocess.CompletedProcess[str]:
    return command(BIN / "pre-commit", "validate-manifest", ".pre-commit-hooks.yaml", cwd=root)


CHECKS: tuple[Check, ...] = (
    zizmor,
    github,
    action_schema,
    workflow_schema,
    dependabot_schema,
    hooks_by_pre_commit,
)

EXPORT = ".github/workflows/export.yml"
PROOF = ".github/workflows/proof.yml"
SELF_TEST = ".github/workflows/self-test.yml"
HOOKS = ".pre-commit-hooks.yaml"
FAULTS = [
    # what finds it, in which file, what stands there, what the slip makes of it
    (github, ACTION, "inputs.upload == 'true'", "inputs.uplod == 'true'"),
    (github, ACTION, "steps.setup.outputs.python }", "steps.setup.outputs.pyton }"),
    (github, ACTION, "steps.upload.outputs.artifact-id", "steps.uplod.outputs.artifact-id"),
    (github, ACTION, "steps.upload.outputs.artifact-id", "steps.upload.outputs.artefact-id"),
    (github, ACTION, "if-no-files-found: error", "if-no-file-found: error"),
    (github, ACTION, "!cancelled() &&", "!canceled() &&"),
    (github, SELF_TEST, "retention-days: 1", "retention: 1"),
    (github, SELF_TEST, "steps.export.outcome", "steps.exprt.outcome"),
    (github, RELEASE, "steps.release.outputs.checksums", "steps.release.outputs.checksum"),
    (github, PROOF, "draft: true", "drafted: true"),
    (github, MERGE, "steps.merge.outputs.manifest", "steps.merge.outputs.mainfest"),
    (github, SHARD, "inputs.shard }", "inputs.shart }"),
    (github, PROOF, "shards: 2", "shart: 2"),
    (github, EXPORT, "inputs.shards }", "inputs.shart }"),
    (github, EXPORT, "needs.plan.outputs.matrix", "needs.plan.outputs.matrx"),
    (github, EXPORT, "shard: ${{", "shart: ${{"),
    (zizmor, EXPORT, "contents: write # the release", "contents: write"),
    (zizmor, RELEASE, "exec bash", 'exec "${{ inputs.python }}"'),
    (action_schema, RELEASE, "default: ${{ github.token }}", "defualt: ${{ github.token }}"),
    (zizmor, ACTION, "exec bash", 'exec "${{ inputs.python }}"'),
    (zizmor, ACTION, "@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0", "@v7"),
    (zizmor, SELF_TEST, "persist-credentials: false", "persist-credentials: true"),
    (zizmor, SELF_TEST, "permissions: {}", "permissions: write-all"),
    (zizmor, SELF_TEST, "  pull_request:", "  pull_request_target:"),
    (action_schema, ACTION, "using: composite", "using: composit"),
    (action_schema, ACTION, "    default: model-export.toml", "    defualt: model-export.toml"),
    (workflow_schema, SELF_TEST, "runs-on: ubuntu-24.04", "run-on: ubuntu-24.04"),
    (dependabot_schema, ".github/dependabot.yml", "interval: monthly", "interval: sometimes"),
    (hooks_by_pre_commit, HOOKS, "language: python", "language: pyton"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / RELEASE).parent.mkdir()
    for name in (ACTION, RELEASE, HOOKS):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    return tmp_path


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_project_is_clean(check: Check) -> None:
    done = check(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("check", "file", "right", "wrong"), FAULTS, ids=[f"{f[0].__name__}-{f[3]}" for f in FAULTS]
)
def test_a_slip_is_found(copy: Path, check: Check, file: str, right: str, wrong: str) -> None:
    text = (copy / file).read_text()
    assert right in text
    (copy / file).write_text(text.replace(right, wrong))
    assert check(copy).returncode != 0


def load(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def test_hooks_have_only_keys_that_pre_commit_knows() -> None:
    """Neither pre-commit nor prek says anything about a misspelt key."""
    known = {
        "id", "name", "description", "entry", "language", "files", "exclude", "types", "types_or",
        "pass_filenames", "always_run", "require_serial", "minimum_pre_commit_version",
        "args", "stages", "verbose",
    }  # fmt: skip
    for hook in load(HOOKS):
        assert set(hook) <= known


@pytest.mark.parametrize("name", [ACTION, RELEASE])
def test_typed_inputs_and_outputs_are_those_of_the_action(name: str) -> None:
    action, types = load(name), load(name.replace("action.yml", "action-types.yml"))
    assert list(types["inputs"]) == list(action["inputs"])
    assert list(types["outputs"]) == list(action["outputs"])


@pytest.mark.parametrize("name", [ACTION, PLAN, SHARD])
def test_every_input_reaches_the_code_that_reads_it(name: str) -> None:
    """Each variable the steps set is one that `read_inputs` reads, and is set from its input."""
    action = load(name)
    read = set(re.findall(r'"(\w+)"', (ROOT / "ckpt_action/action/inputs.py").read_text()))
    passed_on = set()
    for step in action["runs"]["steps"]:
        passed_on |= set(re.findall(r"(?<!steps\.)inputs\.([\w-]+)", str(step)))
        for variable, value in step.get("env", {}).items():
            if not variable.startswith("CKPT_ACTION_") or "steps.setup.outputs" in value:
                continue
            key = variable.removeprefix("CKPT_ACTION_").lower()
            assert key in read
            source = value.removeprefix("${{ ").removesuffix(" }}")
            expected = key.replace("_", "-")
            assert source in (f"inputs.{expected}", f"strategy.{expected}")
    assert passed_on == set(action["inputs"])


def test_every_field_of_the_inputs_is_an_input_somewhere() -> None:
    given = {name for action in (ACTION, PLAN, SHARD) for name in load(action)["inputs"]}
    fields = {field.replace("_", "-") for field in Inputs.__dataclass_fields__}
    assert fields - {"workspace"} <= given


def test_a_shard_is_exported_by_the_steps_of_the_action() -> None:
    """But for the shard, and for what its artifact is for."""
    whole, shard = load(ACTION)["runs"]["steps"], load(SHARD)["runs"]["steps"]
    assert [step["id"] for step in whole] == [step["id"] for step in shard]
    for ours, theirs in zip(whole[:-1], shard[:-1], strict=True):
        theirs["env"] = {k: v for k, v in theirs.get("env", {}).items() if not k.endswith("_SHARD")}
        ours["env"] = {k: v for k, v in ours.get("env", {}).items() if k in theirs["env"]}
        assert {**ours, "working-directory": ""} == {**theirs, "working-directory": ""}


def test_every_input_of_the_reusable_workflow_is_passed_on() -> None:
    workflow = load(EXPORT)
    declared = set(workflow[True]["workflow_call"]["inputs"])  # YAML 1.1 reads `on` as true
    assert set(re.findall(r"inputs\.([\w-]+)", str(workflow["jobs"]))) == declared
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            if step["uses"].startswith("$/"):
                known = load(f"{step['uses'][2:]}/action.yml")["inputs"]
                assert set(step["with"]) <= set(known)
                required = {name for name, about in known.items() if about.get("required")}
                assert required <= set(step["with"])


def test_every_input_of_a_release_reaches_the_code_that_reads_it() -> None:
    step = load(RELEASE)["runs"]["steps"][-1]
    read = set(re.findall(r'"(\w+)"', (ROOT / "ckpt_action/action/release.py").read_text()))
    given = {n.removeprefix("CKPT_ACTION_").lower() for n in step["env"] if "ACTION" in n}
    assert given <= read
    named = {name.replace("_", "-") for name in given - {"folder"}}
    assert named | {"artifact-name", "github-token"} == set(load(RELEASE)["inputs"])


@pytest.mark.parametrize("name", [ACTION, RELEASE, PLAN, SHARD, MERGE])
def test_every_action_used_is_pinned_and_few(name: str) -> None:
    used = {step["uses"] for step in load(name)["runs"]["steps"] if "uses" in step}
    assert len({re.split("[/@]", one)[1] for one in used}) <= 3
    assert all(re.fullmatch(r"actions/[\w/-]+@[0-9a-f]{40}", one) for one in used)


@pytest.mark.parametrize("name", documented_workflows())
def test_a_documented_workflow_is_clean_pinned_and_least(copy: Path, name: str) -> None:
    """The tags of our own action are the users' to move or to pin."""
    text = documented_workflows()[name]
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] in ({}, {"contents": "read"})
    steps = [step for job in workflow["jobs"].values() for step in job.get("steps", ())]
    uses = [step["uses"] for step in steps if "uses" in step]
    foreign = [one for one in uses if not one.startswith("ckpt-action/")]
    assert all(re.fullmatch(r"actions/[\w/-]+@[0-9a-f]{40}", one) for one in foreign)
    shutil.rmtree(copy / ".github" / "workflows")
    (copy / ".github" / "workflows").mkdir()
    (copy / ".github" / "workflows" / name).write_text(text)
    assert github(copy).stdout == ""
    plain = ("--offline", "--no-progress", "--strict-collection", "--format=json-v1")
    found = json.loads(command(BIN / "zizmor", *plain, copy / ".github/workflows", cwd=copy).stdout)
    assert {finding["ident"] for finding in found} <= {"unpinned-uses"}


def test_a_wrong_input_in_a_documented_workflow_is_found(copy: Path) -> None:
    text = documented_workflows()["models.yml"]
    text = text.replace("artifact-name: models", "artefact-name: models")
    (copy / ".github" / "workflows" / "models.yml").write_text(text)
    lines = github(copy).stdout.splitlines()
    assert {line.split(":")[0].rpartition("/")[2] for line in lines} == {"models.yml"}
    assert len({line.split(":")[1] for line in lines if "artefact-name" in line}) == 2, lines
