"""Shards joined into one folder: whatever is missing, double, foreign or damaged is an error."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckpt_action.checkpoint.records import CheckpointFiles, Kind, Writer
from ckpt_action.codec import to_data
from ckpt_action.config.records import Model
from ckpt_action.errors import CkptActionError, ExitCode, Problem
from ckpt_action.manifest import NAME, RECORD, Manifest, outcome_of, read_manifest, write_manifest
from ckpt_action.outcome import CheckpointRecord, FileRecord, Run
from ckpt_action.output.file_check import file_problems
from ckpt_action.plan import Job
from ckpt_action.shard import Shard, ShardRecord, read_record, write_record
from ckpt_action.sharding.merge import merge
from ckpt_action.sharding.planned import Planned, PlannedJob, PlannedTarget
from ckpt_action.sharding.shards import split
from tests.github.exported import exported, job

HERE = Path(__file__).parent


def planned(
    folder: Path, *shards: tuple[str, ...], problems: tuple[Problem, ...] = (), lost: str = ""
) -> Path:
    """The plan as a file; a tuple of job names for each shard."""
    plan = Planned(
        config="model-export.toml",
        output_dir="dist",
        shards=len(shards),
        jobs=tuple(
            PlannedJob(
                name=name,
                model=name,
                entry_point=None,
                config_digest="",
                checkpoint=CheckpointRecord(
                    path=f"runs/{name}/ckpt-1", kind="", writer="", step=1, sha256="0" * 64, bytes=1
                ),
                files=(),
                notes=(),
                targets=tuple(
                    PlannedTarget(name=target, format=target, folder=f"dist/{name}/{target}")
                    for target in ("saved-model", "frozen-graph")
                ),
                shard=number,
            )
            for number, names in enumerate(shards, 1)
            for name in names
        ),
        without_job=(lost,) if lost else (),
        problems=problems,
    )
    file = folder / "plan.json"
    file.write_text(json.dumps(to_data(plan)))
    return file


def shard(
    folder: Path, number: int, count: int, *names: str, failing: tuple[str, ...] = ()
) -> Path:
    """What `export --shard` leaves: `names` exported, `failing` failed."""
    exported(folder, *names, failed=failing) if names else folder.mkdir()
    entries = read_manifest(folder) or Manifest()
    problem = Problem(code=ExitCode.REBUILD, message="no such layer")
    jobs = [outcome_of(entry) for entry in entries.jobs]
    jobs += [replace(outcome_of(job(name, name, ())), problems=(problem,)) for name in failing]
    run = Run(tool="0.0.0", config="model-export.toml", jobs=tuple(jobs), commit="c" * 40)
    write_record(ShardRecord(shard=Shard(number=number, count=count), run=run), folder)
    return folder


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A plan of three models and its two shards."""
    plan = planned(tmp_path, ("a", "c"), ("b",))
    return plan, shard(tmp_path / "1", 1, 2, "a", "c"), shard(tmp_path / "2", 2, 2, "b")


def messages(run: Run) -> str:
    return " ".join(
        p.message for p in (*run.problems, *(q for j in run.jobs for q in j.all_problems))
    )


def test_shards_become_one_folder_like_any_other(two: tuple[Path, ...], tmp_path: Path) -> None:
    plan, *shards = two
    into = tmp_path / "dist"
    run = merge(plan, shards, into)
    assert run.exit_code is ExitCode.OK
    manifest = read_manifest(into)
    assert manifest is not None
    assert [entry.name for entry in manifest.jobs] == ["a", "b", "c"]
    assert manifest.failed == ()
    assert [*file_problems(manifest, into)] == []
    assert "b</h2>" in (into / "report.html").read_text()
    # In any order the same bytes.
    merge(plan, shards[::-1], tmp_path / "again")
    assert (tmp_path / "again" / NAME).read_bytes() == (into / NAME).read_bytes()


def test_a_failed_model_keeps_nobody_from_the_others(tmp_path: Path) -> None:
    plan = planned(tmp_path, ("a",), ("b", "c"))
    first = shard(tmp_path / "1", 1, 2, failing=("a",))
    run = merge(plan, [first, shard(tmp_path / "2", 2, 2, "b", "c")], tmp_path / "dist")
    assert run.exit_code is ExitCode.REBUILD
    manifest = read_manifest(tmp_path / "dist")
    assert manifest is not None
    assert ([j.name for j in manifest.jobs], manifest.failed) == (["b", "c"], ("a",))


def test_a_model_without_a_checkpoint_is_among_the_failed(tmp_path: Path) -> None:
    """Also one whose name is another's and a dot more."""
    problem = Problem(code=ExitCode.CHECKPOINT, message="No file.")
    plan = planned(tmp_path, ("a",), problems=(problem,), lost="a.lost")
    run = merge(plan, [shard(tmp_path / "1", 1, 1, "a")], tmp_path / "dist")
    assert run.exit_code is ExitCode.CHECKPOINT
    manifest = read_manifest(tmp_path / "dist")
    assert manifest is not None
    assert ([j.name for j in manifest.jobs], manifest.failed) == (["a"], ("a.lost",))


def edit_manifest(folder: Path, change: Callable[[dict], None]) -> None:
    data = json.loads((folder / NAME).read_text())
    change(data)
    (folder / NAME).write_text(json.dumps(data))


def artifact(data: dict) -> dict:
    return data["jobs"][0]["artifacts"][0]


def lose_shard(plan: Path, first: Path, second: Path) -> None:
    shutil.rmtree(second)


def lose_entry(plan: Path, first: Path, second: Path) -> None:
    write_manifest(Manifest(jobs=()), second)


def lose_record(plan: Path, first: Path, second: Path) -> None:
    record = read_record(second)
    write_record(replace(record, run=replace(record.run, jobs=())), second)


def flip_a_bit(plan: Path, first: Path, second: Path) -> None:
    file = second / "b/saved-model/saved_model.pb"
    data = bytearray(file.read_bytes())
    data[7] ^= 1
    file.write_bytes(data)


def cut(plan: Path, first: Path, second: Path) -> None:
    file = second / "b/saved-model/saved_model.pb"
    file.write_bytes(file.read_bytes()[:-1])


def lose_file(plan: Path, first: Path, second: Path) -> None:
    (second / "b/saved-model/saved_model.pb").unlink()


def lose_target(plan: Path, first: Path, second: Path) -> None:
    edit_manifest(second, lambda data: data["jobs"][0]["artifacts"].pop())


def say_nothing_of_files(plan: Path, first: Path, second: Path) -> None:
    edit_manifest(second, lambda data: artifact(data).update(files=[]))


def reach_into_another_model(plan: Path, first: Path, second: Path) -> None:
    """The manifest of `b` names files that would be placed as those of `a`."""
    (second / "a/saved-model").mkdir(parents=True)
    shutil.copy(second / "b/saved-model/saved_model.pb", second / "a/saved-model")
    edit_manifest(
        second,
        lambda data: artifact(data)["files"][0].update(path="../../a/saved-model/saved_model.pb"),
    )


def take_anothers_place(plan: Path, first: Path, second: Path) -> None:
    (second / "b/saved-model").rename(second / "c")
    edit_manifest(second, lambda data: artifact(data).update(folder="c"))


def link(plan: Path, first: Path, second: Path) -> None:
    file = second / "b/saved-model/saved_model.pb"
    copy = second.parent / "copy"
    file.rename(copy)
    file.symlink_to(copy)


def other_commit(plan: Path, first: Path, second: Path) -> None:
    record = read_record(second)
    write_record(replace(record, run=replace(record.run, commit="d" * 40)), second)


def other_checkpoint(plan: Path, first: Path, second: Path) -> None:
    data = json.loads(plan.read_text())
    data["jobs"][2]["checkpoint"]["path"] = "runs/b/ckpt-2"
    plan.write_text(json.dumps(data))


def other_values(plan: Path, first: Path, second: Path) -> None:
    """Of the same size."""
    data = json.loads(plan.read_text())
    data["jobs"][2]["checkpoint"]["sha256"] = "1" * 64
    plan.write_text(json.dumps(data))


def other_configuration(plan: Path, first: Path, second: Path) -> None:
    data = json.loads(plan.read_text())
    data["jobs"][2]["config_digest"] = "1" * 64
    plan.write_text(json.dumps(data))


def other_packages(plan: Path, first: Path, second: Path) -> None:
    edit_manifest(second, lambda data: data["jobs"][0].update(environment_digest="1"))


def other_tensorflow(plan: Path, first: Path, second: Path) -> None:
    versions = {"tensorflow": "2.15.0"}
    edit_manifest(
        second, lambda data: data["jobs"][0].update(environment_digest="1", versions=versions)
    )


def other_sources(plan: Path, first: Path, second: Path) -> None:
    """No commit tells of it: both shards have changes that are not committed."""
    for folder, digest in ((first, "0" * 64), (second, "1" * 64)):
        record = read_record(folder)
        sources = (FileRecord(path="layers.py", bytes=1, sha256=digest),)
        jobs = tuple(replace(job, sources=sources) for job in record.run.jobs)
        run = replace(record.run, commit=None, dirty=True, jobs=jobs)
        write_record(replace(record, run=run), folder)


def other_changes(plan: Path, first: Path, second: Path) -> None:
    """Of one commit, and no file was read by both."""
    for folder, digest in ((first, "0" * 64), (second, "1" * 64)):
        record = read_record(folder)
        run = replace(record.run, dirty=True, uncommitted=digest)
        write_record(replace(record, run=run), folder)


def other_answers(plan: Path, first: Path, second: Path) -> None:
    """No file was read, and the code took another way."""
    for folder, what in ((first, "nothing"), (second, "a file of 3 bytes")):
        record = read_record(folder)
        jobs = tuple(replace(job, lookups={"fast": what}) for job in record.run.jobs)
        write_record(replace(record, run=replace(record.run, jobs=jobs)), folder)


def other_count(plan: Path, first: Path, second: Path) -> None:
    write_record(replace(read_record(second), shard=Shard(number=2, count=3)), second)


def same_shard_twice(plan: Path, first: Path, second: Path) -> None:
    shutil.copytree(second, second.with_name("3"))


def one_model_in_both(plan: Path, first: Path, second: Path) -> None:
    shutil.rmtree(second)
    shard(second, 2, 2, "a", "b")


def unplanned(plan: Path, first: Path, second: Path) -> None:
    shutil.rmtree(second)
    shard(second, 2, 2, "b", "x")


def no_record(plan: Path, first: Path, second: Path) -> None:
    (second / RECORD).write_text("{")


FAULTS = [
    # what goes wrong, what is said, what is placed all the same
    (lose_shard, "b is missing: shard 2/2 left nothing", "ac"),
    (lose_entry, "folder and its manifest disagree on b", "ac"),
    (lose_record, "folder and its record disagree on b", "ac"),
    (flip_a_bit, "saved_model.pb is not the file that was exported", "ac"),
    (cut, "saved_model.pb is not the file that was exported", "ac"),
    (lose_file, "saved_model.pb: No such file", "ac"),
    (lose_target, "b has nothing of frozen-graph", "ac"),
    (say_nothing_of_files, "b: the manifest names files in places that are not theirs", "ac"),
    (reach_into_another_model, "b: the manifest names files in places", "ac"),
    (take_anothers_place, "b: the manifest names files in places", "ac"),
    (link, "is a symbolic link", "ac"),
    (other_commit, "not made from the same state", ""),
    (other_checkpoint, "planned was runs/b/ckpt-2", "ac"),
    (other_values, "b was exported from runs/b/ckpt-1 with other values", "ac"),
    (other_configuration, "b was exported with another configuration", "ac"),
    (other_packages, "not exported with the same packages and settings.", ""),
    (other_tensorflow, "same packages and settings: ; tensorflow 2.15.0", ""),
    (other_sources, "not made from the same layers.py", ""),
    (other_changes, "what is not committed differs", ""),
    (other_answers, "did not find the same at fast.", ""),
    (other_count, "b belongs to shard 2/2 and was found in 2/3", "ac"),
    (same_shard_twice, "b belongs to shard 2/2 and was found in 2/2, 2/2", "ac"),
    (one_model_in_both, "a belongs to shard 1/2 and was found in 1/2, 2/2", "bc"),
    (unplanned, "x is in shard 2/2, and nobody planned it", "abc"),
    (no_record, "shard.json cannot be read", "ac"),
]


@pytest.mark.parametrize(("fault", "says", "placed"), FAULTS, ids=[f[0].__name__ for f in FAULTS])
def test_what_does_not_fit_the_plan_fails_and_is_not_placed(
    two: tuple[Path, ...], tmp_path: Path, fault: Callable[..., None], says: str, placed: str
) -> None:
    fault(*two)
    shards = [folder for folder in sorted(tmp_path.iterdir()) if folder.name in "123"]
    run = merge(two[0], shards, tmp_path / "dist")
    assert run.exit_code is not ExitCode.OK
    assert says in messages(run)
    manifest = read_manifest(tmp_path / "dist") or Manifest()
    assert [entry.name for entry in manifest.jobs] == list(placed)
    if placed:
        assert [*file_problems(manifest, tmp_path / "dist")] == []
        assert set(manifest.failed) == set("abc") - set(placed)


def test_nothing_is_merged_into_a_folder_with_something_in_it(two: tuple[Path, ...]) -> None:
    plan, first, second = two
    with pytest.raises(CkptActionError, match="is not empty"):
        merge(plan, [first, second], first)


def jobs_of(sizes: list[int]) -> list[Job]:
    model = Model(name="m", entry_point=None, checkpoints=(), targets=())
    return [
        Job(
            name=f"m{n}",
            model=model,
            checkpoint=CheckpointFiles(
                path=Path("c"), kind=Kind.OBJECT_GRAPH, writer=Writer.KERAS_3, step=1, files=(),
                bytes=size,
            ),
            python_path=(),
            folder=Path(),
        )
        for n, size in enumerate(sizes)
    ]  # fmt: skip


@given(st.lists(st.integers(0, 10**9), max_size=60), st.integers(1, 20), st.randoms())
def test_parts_are_complete_balanced_and_the_same_everywhere(sizes, count, chance) -> None:
    jobs = jobs_of(sizes)
    parts = split(jobs, count)
    assert sorted(job.name for part in parts for job in part) == sorted(job.name for job in jobs)
    assert [bool(part) for part in parts] == [n < len(jobs) for n in range(count)]
    loads = [sum(job.checkpoint.bytes for job in part) for part in parts]
    assert max(loads) - min(loads) <= max(sizes, default=0)
    shuffled = chance.sample(jobs, len(jobs))
    again = [{job.name for job in part} for part in split(shuffled, count)]
    assert again == [{job.name for job in part} for part in parts]
