"""How many children run at once: what each may need, and what there is."""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from command import ENVIRON

from ckpt_action.config.load import load_config
from ckpt_action.config.records import TargetSpec
from ckpt_action.engine.targets import registry
from ckpt_action.errors import ExitCode
from ckpt_action.jobs.job import JobRun
from ckpt_action.plan import Job, make_plan
from ckpt_action.processes import memory
from ckpt_action.processes import supervisor as supervising
from ckpt_action.processes.supervisor import Supervisor
from ckpt_action.progress import Progress

GIB = 1 << 30


class Noted(memory.Gate):
    """A gate that tells what it was asked for."""

    def __init__(self, slots, budget):
        super().__init__(slots, budget)
        self.budget = budget
        self.needs = []

    def room(self, need):
        self.needs.append(need)
        return super().room(need)


@pytest.fixture
def run(repository, tmp_path, monkeypatch):
    """Export the small model to formats, as if its checkpoint were larger; returns the gate."""

    def run(*formats: str, larger: int = 0) -> Noted:
        monkeypatch.setattr(supervising, "Gate", Noted)
        monkeypatch.setattr(supervising, "available", lambda: 9 * GIB)
        plan = make_plan(load_config(repository / "model-export.toml").config, models=("affine",))
        (job,) = plan.jobs
        size = job.checkpoint.bytes + larger
        targets = tuple(TargetSpec(name=name, format=name) for name in formats)
        job = replace(
            job,
            checkpoint=replace(job.checkpoint, bytes=size),
            model=replace(job.model, targets=targets),
        )
        with contextlib.closing(Supervisor(jobs=1, folder=tmp_path, environ=ENVIRON)) as supervisor:
            finished(job, supervisor, tmp_path)
            return supervisor._gate

    return run


def finished(job: Job, supervisor: Supervisor, folder: Path) -> None:
    with Progress(io.StringIO()) as progress:
        made = JobRun(
            job, supervisor, work=folder / "work", folder=folder / "made", progress=progress
        )
        assert made.run().exit_code is ExitCode.OK


def test_a_job_asks_for_the_room_that_its_checkpoint_and_targets_take(run):
    gate = run("frozen-graph", "saved-model", larger=GIB)
    assert gate.budget == 9 * GIB
    exporting, *verifying = gate.needs
    factor = registry()["frozen-graph"].EXPORT_MEMORY
    assert 0 < exporting - factor * GIB < GIB
    assert len(verifying) == 2
    assert all(memory.verify_need(1) < need < memory.verify_need(1 << 20) for need in verifying)


def test_a_target_that_takes_more_asks_for_more():
    factors = {name: target.EXPORT_MEMORY for name, target in registry().items()}
    assert factors["onnx"] > factors["tflite"] > factors["tfjs"] > factors["saved-model"]
    plain, onnx = (memory.export_need(GIB, [factors[n]]) for n in ("saved-model", "onnx"))
    together = memory.export_need(GIB, [factors["saved-model"], factors["onnx"]])
    assert plain < onnx == together
    assert memory.export_need(2 * GIB, [1]) == memory.export_need(GIB, [1]) + GIB


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Write the files in which Linux tells of memory."""
    monkeypatch.setattr(memory, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path / "cgroup")

    def write(file: str, text: str) -> None:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)

    return write


def group(machine, path: str, limit: object, used: int, files: int) -> None:
    machine(f"cgroup/{path}memory.max", f"{limit}\n")
    machine(f"cgroup/{path}memory.current", f"{used}\n")
    machine(f"cgroup/{path}memory.stat", f"anon 5\ninactive_file {files}\nactive_file 3\n")


def test_the_tightest_limit_around_the_process_counts_and_old_files_are_room(machine):
    assert memory.available() is None
    machine("proc/meminfo", "MemTotal: 16000 kB\nMemAvailable:    8000 kB\n")
    assert memory.available() == 8000 << 10
    machine("proc/self/cgroup", "4:memory:/elsewhere\n0::/slice/own\n")
    assert memory.available() == 8000 << 10
    group(machine, "slice/own/", "max", 700, 0)
    assert memory.available() == 8000 << 10
    group(machine, "slice/", 1000, 700, 200)
    assert memory.available() == 500
    group(machine, "slice/own/", 900, 700, 100)
    assert memory.available() == 300
    group(machine, "", 800, 700, 0)
    assert memory.available() == 100
    group(machine, "other/", 10, 5, 0)
    assert memory.available() == 100


def test_what_the_kernel_killed_is_counted_of_the_machine_and_of_the_groups(machine):
    assert memory.oom_kills() == 0
    machine("proc/vmstat", "pgfault 7\noom_kill 2\n")
    assert memory.oom_kills() == 2
    machine("proc/self/cgroup", "0::/own\n")
    machine("cgroup/own/memory.events", "low 0\noom 9\noom_kill 1\n")
    assert memory.oom_kills() == 3


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own choice elsewhere")
def test_the_kernel_kills_a_child_before_the_command(ask):
    assert ask("oom_score").result == {"adjusted": 1000}
