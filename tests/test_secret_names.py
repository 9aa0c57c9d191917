"""Both places that withhold variables, the action's step and the children, know the same names."""

from __future__ import annotations

import pytest

from ckpt_action.action.__main__ import withheld
from ckpt_action.processes.environments import variables


@pytest.mark.parametrize(
    "name",
    [
        "GITHUB_TOKEN",
        "INPUT_GITHUB-TOKEN",
        "DEPLOY_PAT",
        "gh_pat",
        "PAT",
        "DB_PASSWD",
        "GPG_PASSPHRASE",
        "MINIO_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "SSH_PRIVATE_KEY",
        "WANDB_API_KEY",
        "OPENAI_APIKEY",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "SSH_AUTH_SOCK",
        "ACTIONS_CACHE_URL",
        "GITHUB_ENV",
    ],
)
def test_withheld_in_both_places(name):
    assert withheld({name: "1"}) == [name]
    assert name not in variables("keras-3", {name: "1"})


@pytest.mark.parametrize("name", ["PATH", "HOME", "PYTHONPATH", "GITHUB_SHA", "DATA_PATH"])
def test_left_in_both_places(name):
    assert withheld({name: "1"}) == []
    assert variables("keras-3", {name: "1"})[name] == "1"
