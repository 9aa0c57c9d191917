"""Whatever ends the command in the middle: the old state stays, and no process is left."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command import ENVIRON, ckpt_action
from test_export import exported_files, tree

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ckpt_action", "export", "--no-reuse", "--jobs", "1"],
        cwd=folder,
        env=ENVIRON,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def processes_in(folder: Path) -> list[int]:
    """Open process descriptors of everything that works in `folder`."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if (process / "cwd").readlink().is_relative_to(folder):
                    found.append(os.pidfd_open(int(process.name)))
            except OSError:
                continue
    return found


EXPORTING, VERIFYING = "dense: exporting", "dense: verifying frozen-graph"


@pytest.mark.parametrize(
    ("at", "sent"),
    [
        (VERIFYING, signal.SIGKILL),
        (VERIFYING, signal.SIGTERM),
        pytest.param(EXPORTING, signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param(EXPORTING, signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(EXPORTING, signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(VERIFYING, signal.SIGINT, marks=pytest.mark.slow),
    ],
)
def test_killed_in_the_middle(exported, tmp_path, at, sent):
    repository = Path(shutil.copytree(exported, tmp_path / "repository"))
    before = tree(repository / "dist")
    with start(repository) as process:
        for line in process.stderr:
            if line.strip() == at:
                break
        children = processes_in(repository)
        process.send_signal(sent)
        assert process.wait() != 0
    for child in children:
        assert select.select([child], [], [], 60)[0], "a child lives on"
        os.close(child)
    if sent != signal.SIGKILL:
        assert not (repository / "dist" / ".staging").exists()
    after = tree(repository / "dist")
    assert {k: v for k, v in after.items() if not k.startswith(".staging/")} == before


def test_what_a_killed_run_left_is_cleared_by_the_next(exported, tmp_path):
    repository = Path(shutil.copytree(exported, tmp_path / "repository"))
    before = exported_files(repository / "dist")
    with start(repository) as process:
        process.stderr.readline()
        process.kill()
    assert (repository / "dist" / ".staging").exists()
    run = ckpt_action("export", folder=repository)
    assert run.returncode == 0, run.stderr
    assert exported_files(repository / "dist") == before
