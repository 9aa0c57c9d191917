"""The runner itself: what it says of small actions and workflows whose answer is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.github import artifact_service
from tests.github.local_runner import outcomes, run

COMPOSITE = """
name: sample
description: sample
inputs:
  word: {description: w, default: "${{ github.ref_name }}"}
outputs:
  said: {description: s, value: "${{ steps.say.outputs.said }}"}
  set: {description: s, value: "${{ steps.env.outputs.set }}"}
runs:
  using: composite
  steps:
"""


def action(tmp_path: Path, steps: str) -> Path:
    (tmp_path / "action.yml").write_text(COMPOSITE + steps)
    return tmp_path


def test_inputs_outputs_and_files(tmp_path: Path) -> None:
    steps = r"""
    - id: say
      shell: bash
      env: {WORD: "${{ inputs.word }}"}
      run: |
        printf 'said<<X\n%s\ntwo\nX\n' "$WORD" >> "$GITHUB_OUTPUT"
        echo "LATER=1" >> "$GITHUB_ENV"; echo "# title" >> "$GITHUB_STEP_SUMMARY"
    - id: env
      shell: bash
      run: echo "set=$LATER" >> "$GITHUB_OUTPUT"
    """
    workspace = action(tmp_path, steps)
    assert run(workspace, action="./")["outputs"] == {"said": "main\ntwo", "set": "1"}
    result = run(workspace, action="./", inputs={"word": "a%0Ab", "wrod": "x"})
    assert result["outputs"]["said"] == "a%0Ab\ntwo"
    assert result["summary"] == "# title\n"
    (warning,) = result["annotations"]
    assert "wrod" in warning["message"]


def test_a_failed_step_skips_the_rest_but_for_always_and_failure(tmp_path: Path) -> None:
    workspace = action(
        tmp_path,
        """
    - {id: bad, shell: bash, run: "exit 3"}
    - {id: next, shell: bash, run: "true"}
    - {id: always, shell: bash, run: "true", if: always()}
    - {id: failed, shell: bash, run: "true", if: failure()}
    - {id: output, shell: bash, run: "true", if: "!cancelled() && steps.bad.outcome == 'failure'"}
    """,
    )
    result = run(workspace, action="./")
    assert not result["ok"]
    assert list(outcomes(result).values()) == [
        "failure", "skipped", "success", "success", "success",
    ]  # fmt: skip


def test_annotations_masks_and_the_limit_of_ten(tmp_path: Path) -> None:
    workspace = action(
        tmp_path,
        """
    - shell: bash
      run: |
        echo "::add-mask::hunter2"
        echo "  ::error file=$GITHUB_WORKSPACE/a.toml,line=3,title=a%3Ab::x%0Ay hunter2"
        echo "text ##[warning]anywhere"
        echo "::stop-commands::tok"; echo "::error::unseen"; echo "::tok::"
        for i in $(seq 20); do echo "::notice::$i"; done
    """,
    )
    result = run(workspace, action="./")
    error, warning, *notices = result["annotations"]
    assert error == {
        "type": "error", "file": "a.toml", "line": "3", "title": "a:b", "message": "x\ny ***",
    }  # fmt: skip
    assert warning["message"] == "anywhere"
    assert len(notices) == 10
    assert not any("hunter2" in line for line in result["log"][1:])


def test_what_a_step_writes_for_later_ones_and_may_not(tmp_path: Path) -> None:
    tool = tmp_path / "tools" / "greet"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho hello\n")
    tool.chmod(0o755)
    workspace = action(
        tmp_path,
        """
    - {shell: bash, run: 'echo "$GITHUB_WORKSPACE/tools" >> "$GITHUB_PATH"'}
    - id: say
      shell: bash
      run: echo "said=$(greet)" >> "$GITHUB_OUTPUT"
    - {id: env, shell: bash, run: 'echo "NODE_OPTIONS=--require ./own.js" >> "$GITHUB_ENV"'}
    """,
    )
    result = run(workspace, action="./")
    assert result["outputs"]["said"] == "hello"
    assert outcomes(result)["env"] == "failure"
    assert "NODE_OPTIONS" in result["annotations"][0]["message"]
    assert "NODE_OPTIONS" not in result["env"]


def test_what_is_too_long_is_cut_or_dropped(tmp_path: Path) -> None:
    workspace = action(
        tmp_path,
        """
    - {shell: bash, run: 'printf "::error::%5000s\\n" x'}
    - {shell: bash, run: 'printf "%1048576s" x >> "$GITHUB_STEP_SUMMARY"'}
    - {shell: bash, run: 'printf "%1048577s" y >> "$GITHUB_STEP_SUMMARY"'}
    """,
    )
    result = run(workspace, action="./")
    cut, dropped = result["annotations"]
    assert len(cut["message"]) == 4096
    assert "summary is larger" in dropped["message"]
    assert result["summary"].lstrip() == "x"
    assert len(result["summary"]) == 1024 * 1024


WORKFLOW = """
on:
  workflow_call:
    inputs: {count: {type: number, default: 2}}
    outputs: {all: {value: "${{ jobs.end.outputs.all }}"}}
jobs:
  plan:
    runs-on: ubuntu-latest
    outputs: {matrix: "${{ steps.m.outputs.matrix }}"}
    steps:
      - id: m
        env: {COUNT: "${{ inputs.count }}"}
        shell: python3 {0}
        run: |
          import json, os
          matrix = json.dumps({"n": list(range(int(os.environ["COUNT"])))})
          open(os.environ["GITHUB_OUTPUT"], "a").write(f"matrix={matrix}\\n")
  each:
    needs: plan
    runs-on: ubuntu-latest
    strategy: {fail-fast: false, matrix: "${{ fromJSON(needs.plan.outputs.matrix) }}"}
    outputs: {last: "${{ steps.s.outputs.n }}"}
    steps:
      - id: s
        env: {N: "${{ matrix.n }}"}
        run: echo "n=$N" >> "$GITHUB_OUTPUT"; test "$N" != 1
  end:
    needs: [plan, each]
    if: ${{ !cancelled() }}
    runs-on: ubuntu-latest
    outputs: {all: "${{ needs.each.result }} ${{ needs.each.outputs.last }}"}
    steps: [{run: "true"}]
  never:
    needs: each
    runs-on: ubuntu-latest
    steps: [{run: "true"}]
"""


def test_a_matrix_from_an_earlier_job(tmp_path: Path) -> None:
    (tmp_path / "w.yml").write_text(WORKFLOW)
    result = run(tmp_path, workflow="w.yml", inputs={"count": 3})
    assert result["outputs"] == {"all": "failure 2"}
    assert [(job["name"], job["result"]) for job in result["jobs"]] == [
        ("plan", "success"), ("each", "success"), ("each", "failure"), ("each", "success"),
        ("end", "success"), ("never", "skipped"),
    ]  # fmt: skip


def test_a_matrix_has_a_limit(tmp_path: Path) -> None:
    (tmp_path / "w.yml").write_text(WORKFLOW)
    with pytest.raises(AssertionError, match="at most 256"):
        run(tmp_path, workflow="w.yml", inputs={"count": 257})


def test_an_artifact_goes_through_the_real_client(tmp_path: Path) -> None:
    step = "actions/upload-artifact@v7"
    workspace = action(
        tmp_path,
        f"""
    - {{shell: bash, run: "mkdir d; echo hi > d/a; test -z \\"$ACTIONS_RUNTIME_TOKEN\\""}}
    - {{id: first, uses: {step}, with: {{name: n, path: d}}}}
    - {{id: again, uses: {step}, with: {{name: n, path: d}}, continue-on-error: true}}
    - {{id: bad, uses: {step}, with: {{name: "a:b", path: d}}}}
    """,
    )
    with artifact_service.running() as service:
        result = run(workspace, action="./", nodeEnv=service.environment())
    found = outcomes(result)
    assert (found["first"], found["again"], found["bad"]) == ("success", "failure", "failure")
    assert service.artifacts["n"].final
    assert service.artifacts["n"].files() == {"a": b"hi\n"}
