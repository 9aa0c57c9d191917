"""Damaged files: every one is refused with its cause, or read exactly as it was.

`make mutate` runs the whole; the suite runs a slice. The seed is fixed.
"""

from __future__ import annotations

import multiprocessing
import random
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkpoint_files import CORPUS, DATA, content, copied

from ckpt_action.checkpoint.hdf5 import Hdf5Weights
from ckpt_action.checkpoint.hdf5_process import describe
from ckpt_action.checkpoint.identify import identify
from ckpt_action.checkpoint.inspect import summarize
from ckpt_action.checkpoint.records import Kind
from ckpt_action.checkpoint.table import MAGIC, _index_handle
from ckpt_action.checkpoint.wire import varint
from ckpt_action.errors import CkptActionError, ExitCode

BUNDLES = [
    DATA / "keras2_manager/ckpt-11",
    DATA / "keras3_lists/ckpt-1",
    DATA / "module/ckpt-1",
    DATA / "sharded/parts",
    DATA / "tf1/model.ckpt-1",
    CORPUS / "basecaller/data/training_10/cp.ckpt",
]
HDF5 = [DATA / "keras3_files/m.weights.h5", DATA / "keras3_files/s_00001.weights.h5"]
ARCHIVE = DATA / "keras3_files/m.keras"
HANGS = 20
"""Seconds after which a reader counts as hanging; a healthy one takes milliseconds."""


def bundle_files(prefix: Path) -> list[Path]:
    return sorted(file for file in prefix.parent.glob(f"{prefix.name}.*") if file.suffix != ".meta")


def boundaries(file: Path) -> list[int]:
    """Lengths at which a part of the file ends, and one byte to either side."""
    data = file.read_bytes()
    ends = {0, 1, len(data) - 1}
    if data.endswith(MAGIC):
        offset, size = _index_handle(data)
        ends |= {offset, offset + size, offset + size + 5, len(data) - 48, len(data) - 8}
    else:
        ends |= set(range(0, len(data), max(1, len(data) // 16)))
    near = {end + by for end in ends for by in (-1, 0, 1)}
    return sorted(length for length in near if 0 <= length < len(data))


def flipped(data: bytes, choice: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(choice.choice((1, 1, 1, 2, 8))):
        damaged[choice.randrange(len(damaged))] ^= 1 << choice.randrange(8)
    return bytes(damaged)


def damaged_versions(file: Path, flips: int, seed: int) -> Iterator[bytes]:
    data, choice = file.read_bytes(), random.Random(f"{file.name}{seed}")
    for length in boundaries(file):
        yield data[:length]
    for _ in range(flips):
        yield flipped(data, choice)
    yield data + b"\0" * 16
    yield choice.randbytes(len(data))


def check_cause(error: CkptActionError) -> None:
    for problem in error.problems:
        assert problem.code is ExitCode.CHECKPOINT
        assert problem.message
        assert problem.where is not None


def refused_or_same(prefix: Path, whole: dict[str, object], summary: object) -> bool:
    """True where it was refused; raises where it was read as something else."""
    try:
        found = summarize(identify(prefix))
        read = content(prefix)
    except CkptActionError as error:
        check_cause(error)
        return True
    assert read == whole
    assert found.entries == summary
    return False


def check_bundle(prefix: Path, folder: Path, flips: int) -> tuple[int, int]:
    """(cases, refused) over every file of the checkpoint at `prefix`."""
    copy = copied(prefix, folder)
    whole, summary = content(copy), summarize(identify(copy)).entries
    cases = refused = 0
    for file in bundle_files(copy):
        original = file.read_bytes()
        for damaged in damaged_versions(file, flips, seed=1):
            if damaged == original:
                continue
            file.write_bytes(damaged)
            cases += 1
            refused += refused_or_same(copy, whole, summary)
        file.write_bytes(original)
        file.unlink()
        cases += 1
        assert refused_or_same(copy, whole, summary)
        refused += 1
        file.write_bytes(original)
    return cases, refused


@pytest.mark.parametrize("prefix", BUNDLES, ids=lambda path: path.parent.name)
def test_damaged_bundles(prefix, tmp_path):
    cases, refused = check_bundle(prefix, tmp_path, flips=20)
    assert refused > cases * 0.7


@pytest.mark.slow
@pytest.mark.parametrize("prefix", BUNDLES, ids=lambda path: path.parent.name)
def test_damaged_bundles_whole(prefix, tmp_path):
    cases, refused = check_bundle(prefix, tmp_path, flips=600)
    assert refused > cases * 0.7


def test_absurd_numbers_are_refused_without_the_memory_they_ask_for(tmp_path):
    """Lengths of 2**63 in every varint of the footer; the process would not survive obeying."""
    prefix = copied(DATA / "module/ckpt-1", tmp_path)
    index = prefix.with_name(prefix.name + ".index")
    data = index.read_bytes()
    huge = b"\xff" * 8 + b"\x7f"
    for footer in (huge * 4, b"\0\0" + huge + b"\1", b"\0\0\0" + huge, b"\xff" * 40):
        index.write_bytes(data[:-48] + footer[:40].ljust(40, b"\0") + MAGIC)
        with pytest.raises(CkptActionError, match="damaged"):
            identify(prefix)
    assert varint(huge, 0)[0] == (1 << 63) - 1


def hdf5_cases(file: Path, flips: int) -> list[bytes]:
    """Its truncations, flips of single bits, and each length field of the superblock made huge."""
    data = file.read_bytes()
    huge = [data[:at] + struct.pack("<Q", 1 << 62) + data[at + 8 :] for at in (24, 32, 40, 64)]
    return [*damaged_versions(file, flips, seed=2), *huge]


def read_hdf5(connection, file: Path, cases: list[bytes]) -> None:
    """A child: what each case gives, one answer at a time, for the HDF5 library may hang or die."""
    for case in cases:
        try:
            weights = Hdf5Weights(file, case)
            read = {e.key: (e.dtype, e.shape, weights.read(e.key).nbytes) for e in weights.entries}
            connection.send(("read", read))
        except CkptActionError as error:
            check_cause(error)
            connection.send(("refused", error.problems[0].message))
    connection.send(("done", None))


def answers(file: Path, cases: list[bytes]) -> Iterator[tuple[str, object]]:
    """One answer per case; a child that hangs or dies is replaced and counts as `stopped`."""
    context = multiprocessing.get_context("spawn")
    at = 0
    while at < len(cases):
        ours, theirs = context.Pipe()
        child = context.Process(target=read_hdf5, args=(theirs, file, cases[at:]))
        child.start()
        theirs.close()
        try:
            while ours.poll(HANGS) and (answer := ours.recv())[0] != "done":
                at += 1
                yield answer
            if at < len(cases):
                raise EOFError
        except EOFError:
            at += 1
            yield "stopped", None
        finally:
            child.kill()
            child.join()
            ours.close()


def check_hdf5(file: Path, flips: int) -> None:
    """HDF5 keeps no checksums: a flipped bit of a value cannot be seen in the file, only by the
    golden file. What must hold: no exception but ours, and values where shapes are as they were."""
    weights = Hdf5Weights(file)
    whole = {e.key: (e.dtype, e.shape, weights.read(e.key).nbytes) for e in weights.entries}
    cases = hdf5_cases(file, flips)
    outcomes = list(answers(file, cases))
    assert len(outcomes) == len(cases)
    assert sum(outcome == "refused" for outcome, _ in outcomes) > len(cases) * 0.1
    for outcome, read in outcomes:
        if outcome == "read":
            same = sum(whole.get(key) == value for key, value in read.items())
            assert same >= len(read) - 2


@pytest.mark.parametrize("file", HDF5, ids=lambda path: path.name)
def test_damaged_hdf5(file):
    check_hdf5(file, flips=100)


@pytest.mark.slow
@pytest.mark.parametrize("file", HDF5, ids=lambda path: path.name)
def test_damaged_hdf5_whole(file):
    check_hdf5(file, flips=1500)


def test_a_reader_that_does_not_end_is_a_damaged_file():
    with pytest.raises(CkptActionError, match="reading it does not end"):
        describe(HDF5[0], Kind.HDF5, seconds=0.001)


def test_a_reader_that_dies_is_a_damaged_file(monkeypatch):
    monkeypatch.setattr("ckpt_action.checkpoint.hdf5_process._CHILD", "import os; os.abort()")
    with pytest.raises(CkptActionError, match="crashes"):
        describe(HDF5[0], Kind.HDF5)


def test_damaged_archives_are_refused_or_the_same(tmp_path):
    """A `.keras` file is a zip: its CRCs show every flipped bit of a member."""
    file = tmp_path / "m.keras"
    file.write_bytes(ARCHIVE.read_bytes())
    whole = members(file)
    refused = 0
    cases = list(damaged_versions(ARCHIVE, 300, seed=3))
    for case in cases:
        file.write_bytes(case)
        try:
            identify(file, look_inside=False)
            read = members(file)
        except CkptActionError as error:
            check_cause(error)
            refused += 1
            continue
        assert {name: read[name] for name in whole} == whole
    assert refused > len(cases) * 0.7


def members(file: Path) -> dict[str, bytes]:
    from ckpt_action.checkpoint.keras_archive import KerasArchive

    archive = KerasArchive(file)
    return {name: archive.content(name) for name in ("config.json", "model.weights.h5")}


def test_a_zip_bomb_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr("ckpt_action.checkpoint.keras_archive._SUSPICIOUS", 1 << 20)
    file = tmp_path / "m.keras"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", b"\0" * (2 << 20))
    with pytest.raises(CkptActionError, match="claims to unpack to"):
        identify(file)


@pytest.mark.parametrize("name", ["../evil.h5", "/etc/evil", "a/../../evil", "..\\evil"])
def test_paths_out_of_an_archive_are_refused(name, tmp_path):
    file = tmp_path / "m.keras"
    with zipfile.ZipFile(ARCHIVE) as source, zipfile.ZipFile(file, "w") as archive:
        for member in source.namelist():
            archive.writestr(member, source.read(member))
        archive.writestr(name, b"x")
    with pytest.raises(CkptActionError, match="outside itself"):
        identify(file)
