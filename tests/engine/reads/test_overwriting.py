"""Whatever opens a declared file for writing is stopped before it does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, os, shutil, sys
from pathlib import Path
sys.path.insert(0, "rebuild")
from cases import make_job, tf
import h5py, numpy as np
from dataclasses import replace
from ckpt_action.config.records import Verify
from ckpt_action.engine.reads.overwriting import DeclaredFiles, OverwritingError

RUN = "runs/ckpt.data-00000-of-00001"
folder = Path(sys.argv[1])
os.chdir(folder)
object_ = tf.train.Checkpoint(v=tf.Variable(1.0))
object_.write("runs/ckpt")
with h5py.File("m.weights.h5", "w") as file:
    file["x"] = 1
np.savez("golden.npz", x=1)
os.symlink("golden.npz", "link.npz")
job = make_job("m:build", folder=folder, verify=Verify(golden=folder / "golden.npz"))
files = tuple(folder / n for n in ("runs/ckpt.index", RUN, "m.weights.h5"))
job = replace(job, checkpoint=replace(job.checkpoint, files=files))
declared = DeclaredFiles(job)
before = {f: f.read_bytes() for f in declared.paths}
declared.guard()
declared.check()
ways = {
    "open": lambda: open("golden.npz", "ab"),
    "a link": lambda: np.savez("link.npz", x=2),
    "remove": lambda: os.remove("golden.npz"),
    "replace": lambda: os.replace("other", "golden.npz"),
    "h5py w": lambda: h5py.File("m.weights.h5", "w"),
    "h5py r+": lambda: h5py.File("m.weights.h5", "r+"),
    "gfile": lambda: tf.io.gfile.GFile("m.weights.h5", mode="w"),
    "delete": lambda: tf.io.gfile.remove(RUN),
    "rename": lambda: tf.io.gfile.rename("other", "m.weights.h5", overwrite=True),
    "copy": lambda: tf.io.gfile.copy("other", "m.weights.h5", overwrite=True),
    "rmtree": lambda: shutil.rmtree("runs"),
    "session": lambda: in_session("runs/ckpt"),
    "checkpoint": lambda: object_.write("runs/ckpt"),
}
Path("other").write_text("other")


def in_session(path):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variable = tf.compat.v1.get_variable("v", [])
        session.run(variable.initializer)
        tf.compat.v1.train.Saver().save(session, path)


stopped = {}
for way, do in ways.items():
    try:
        do()
    except OverwritingError as error:
        stopped[way] = error.problems[0].message
reads = [h5py.File("m.weights.h5").close(), open("golden.npz").close(), object_.read("runs/ckpt")]
object_.write("another")
in_session("third")
os.makedirs("copies/runs")
shutil.copy("m.weights.h5", "copies")
shutil.copy(RUN, "copies/runs")
shutil.rmtree("copies")
h5py.File("m.weights.h5", "r", swmr=True).close()
same = {f.name: f.read_bytes() == was for f, was in before.items()}
try:
    declared.check()
except OverwritingError as error:
    print(json.dumps([sorted(set(ways) - set(stopped)), stopped["copy"], same]))
"""


def test_every_way_of_writing_to_a_declared_file_is_stopped(tmp_path):
    environ = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(tmp_path)],
        cwd=Path(__file__).parents[1],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    passed, message, same = json.loads(done.stdout.splitlines()[-1])
    assert passed == []
    assert "m.weights.h5 for writing" in message
    assert set(same.values()) == {True}
    assert len(same) == 4
