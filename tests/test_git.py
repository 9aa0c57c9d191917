"""A commit is named as what was exported only where the files are that commit's."""

from __future__ import annotations

import os
import subprocess

import pytest

from ckpt_action import git as git_files
from ckpt_action.checkout import Checkout, read_checkout

_WHO = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")


def git(folder, *arguments):
    done = subprocess.run(
        ["git", *_WHO, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path):
    """A configuration's folder within a repository that has more than that."""
    folder = tmp_path / "project"
    (folder / "dist").mkdir(parents=True)
    (folder / "models.py").write_text("1")
    (folder / "dist" / "manifest.json").write_text("1")
    (tmp_path / "other.txt").write_text("1")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return folder


def state(folder):
    return read_checkout(folder, folder / "dist")


def test_as_committed(project):
    assert state(project) == Checkout(commit=git(project, "rev-parse", "HEAD"))


@pytest.mark.parametrize("name", ["models.py", "new.py", "sub/néw.py"])
def test_changed_and_new_code_is_said(project, name):
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text("2")
    assert state(project).dirty


def test_changes_have_a_digest_of_their_own(project):
    found = set()
    for text in ("2", "3"):
        (project / "models.py").write_text(text)
        found.add(state(project).uncommitted)
    (project / "models.py").unlink()
    found.add(state(project).uncommitted)
    (project / "models.py").write_text("1")
    (project / "new.py").write_text("")
    found.add(state(project).uncommitted)
    assert len(found) == 4
    assert "" not in found


def test_deleted_and_renamed_files_are_said(project):
    git(project, "mv", "models.py", "renamed.txt")
    assert state(project).dirty


@pytest.mark.parametrize(
    "name", ["../other.txt", "dist/manifest.json", "dist/new.py", "ckpt-1.index"]
)
def test_what_is_not_exported_says_nothing(project, name):
    (project / name).write_text("2")
    assert not state(project).dirty


def test_outside_of_git(tmp_path):
    assert state(tmp_path) == Checkout()


@pytest.mark.skipif(os.name != "posix", reason="runs a shell script")
def test_no_program_that_a_repository_names_is_started(tmp_path):
    """A folder of somebody else's may be laid out as the inside of a repository."""
    git(tmp_path, "init", "--quiet", "--bare", "ckpt")
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\ntouch "{tmp_path}/RAN"\n')
    program.chmod(0o755)
    git(tmp_path / "ckpt", "config", "core.bare", "false")
    git(tmp_path / "ckpt", "config", "core.worktree", str(tmp_path / "ckpt"))
    git(tmp_path / "ckpt", "config", "core.fsmonitor", str(program))
    weights = tmp_path / "ckpt" / "m.h5"
    weights.write_text("1")
    git_files.ignored([weights])
    git_files.untracked([weights])
    assert not (tmp_path / "RAN").exists()
