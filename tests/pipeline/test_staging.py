"""Whatever kills a run, the output folder holds the old state or the new one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ckpt_action.errors import CkptActionError, ExitCode
from ckpt_action.manifest import HIDDEN
from ckpt_action.output.staging import recover, staging

STEPS = """
import os, signal, sys
from pathlib import Path
import ckpt_action.output.staging as staging

calls = 0
def die_at(frame_event):
    global calls
    calls += 1
    if calls == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

# Every change of the file system goes through one of these.
import shutil
for owner, name in [(Path, "rename"), (Path, "replace"), (Path, "mkdir"), (Path, "write_text"),
                    (os, "unlink"), (os, "rmdir")]:
    def wrapped(*args, _real=getattr(owner, name), **more):
        die_at(name)
        return _real(*args, **more)
    setattr(owner, name, wrapped)

with staging.staging(Path(sys.argv[1])) as stage:
    (stage.items / "a").mkdir()
    (stage.items / "a" / "weights").write_text("new")
    (stage.items / "c").mkdir()
    (stage.items / "c" / "weights").write_text("new")
    (stage.items / "manifest.json").write_text("new")
    stage.commit(["b"])
print("finished", calls)
"""
OLD = {"a/weights": "old", "b/weights": "old", "keep": "mine", "manifest.json": "old"}
NEW = {"a/weights": "new", "c/weights": "new", "keep": "mine", "manifest.json": "new"}


def fill(folder: Path) -> Path:
    for name, text in OLD.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): file.read_text()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def run_and_die(folder: Path, at: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", STEPS, str(folder), str(at)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_kill_at_every_step_leaves_old_or_new(tmp_path):
    whole = run_and_die(fill(tmp_path / "whole"), -1)
    assert contents(tmp_path / "whole") == NEW, whole.stderr
    steps = int(whole.stdout.split()[1])
    assert steps > 15
    seen = []
    for step in range(1, steps + 1):
        folder = fill(tmp_path / str(step))
        assert run_and_die(folder, step).returncode == -9
        recover(folder)
        with staging(folder):
            pass  # the next run clears what is nobody's
        seen.append(contents(folder))
    assert seen.count(OLD) + seen.count(NEW) == steps
    assert seen == sorted(seen, key=lambda state: state == NEW), "never back from new to old"


def test_a_half_moved_folder_never_has_its_new_manifest(tmp_path):
    """For readers that do not know of `recover`: the manifest is moved last."""
    for step in range(1, 30):
        folder = fill(tmp_path / str(step))
        run_and_die(folder, step)
        state = {k: v for k, v in contents(folder).items() if not k.startswith(HIDDEN)}
        if state["manifest.json"] == "new":
            assert state == NEW


def test_an_error_leaves_no_trace(tmp_path):
    folder = fill(tmp_path / "dist")

    def interrupted():
        with staging(folder) as stage:
            (stage.items / "a").mkdir()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert contents(folder) == OLD
    assert not (folder / HIDDEN).exists()


def test_an_output_folder_that_got_nothing_is_not_left_behind(tmp_path):
    with staging(tmp_path / "dist"):
        pass
    assert not (tmp_path / "dist").exists()


def test_two_runs_in_one_folder_are_refused(tmp_path):
    with staging(tmp_path) as stage:
        with pytest.raises(CkptActionError, match="Another export") as caught, staging(tmp_path):
            pass
        assert caught.value.problems[0].code is ExitCode.OUTPUT
        assert stage.work.is_dir()
    with staging(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_an_output_problem(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CkptActionError, match="Cannot write") as caught, staging(tmp_path / "file"):
        pass
    assert caught.value.problems[0].code is ExitCode.OUTPUT
