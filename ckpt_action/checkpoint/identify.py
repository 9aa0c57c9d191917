"""What one path is, read from its bytes, and whether all of it is there."""

from __future__ import annotations

from pathlib import Path

from ckpt_action.checkpoint.bundle import TensorBundle
from ckpt_action.checkpoint.damage import AGAIN, broken, problem, reading
from ckpt_action.checkpoint.foreign import (
    HDF5_MAGIC,
    LFS_HINT,
    ZIP_MAGIC,
    foreign_file,
    head,
    is_lfs_pointer,
)
from ckpt_action.checkpoint.hdf5_datasets import declared_size
from ckpt_action.checkpoint.hdf5_process import describe
from ckpt_action.checkpoint.keras_archive import CONFIG, KerasArchive, shard_names
from ckpt_action.checkpoint.names import step_of, without_part
from ckpt_action.checkpoint.records import CheckpointFiles, Kind, Role, Writer
from ckpt_action.checkpoint.roles import read_roles
from ckpt_action.checkpoint.tf1_table import table_files, table_values
from ckpt_action.checkpoint.writer import writer_of
from ckpt_action.errors import CkptActionError, Problem

SAVED_MODEL = ("saved_model.pb", "saved_model.pbtxt")
_ORBAX = "_CHECKPOINT_METADATA"


def is_prefix(path: Path) -> bool:
    """Whether `path` with `.index` behind it is a file."""
    return (path.parent / (path.name + ".index")).is_file()


def is_saved_model(folder: Path) -> bool:
    return any((folder / name).is_file() for name in SAVED_MODEL)


def is_keras_folder(folder: Path) -> bool:
    return (folder / CONFIG).is_file() and any(folder.glob("model.weights.*"))


def is_orbax(folder: Path) -> bool:
    """A step of Orbax, or a folder of such steps."""
    return (folder / _ORBAX).is_file() or any(folder.glob(f"[0-9]*/{_ORBAX}"))


def identify(path: Path, *, look_inside: bool = True) -> CheckpointFiles:
    """The checkpoint at `path`: a prefix, a file or a folder; raises CkptActionError with
    everything that is wrong with it.

    With `look_inside=False` HDF5 files are only measured and get `Kind.HDF5`: opening them takes
    h5py and numpy.
    """
    if is_prefix(path):
        return _bundle(path, path, Kind.OBJECT_GRAPH)
    if path.is_dir():
        return _folder(path, look_inside=look_inside)
    with reading(path):
        if files := table_files(whole := without_part(path)):
            return _tables(whole, files)
        _refuse_pointer(path)
        start = head(path, 48)
        if start.startswith(HDF5_MAGIC):
            return _hdf5(path, look_inside=look_inside)
        if start.startswith(ZIP_MAGIC):
            return _archive(path, look_inside=look_inside)
        if start.lstrip().startswith(b"{") and path.suffix == ".json":
            return _sharded(path, look_inside=look_inside)
        what, hint = foreign_file(path)
    raise broken(path, f"{path.name} is no checkpoint. {what}", hint)


def _bundle(path: Path, prefix: Path, kind: Kind) -> CheckpointFiles:
    """A TensorFlow checkpoint; `path` is what the user knows it by."""
    index = prefix.with_name(prefix.name + ".index")
    with reading(index):
        _refuse_pointer(index)
    bundle = TensorBundle(prefix)
    problems = _shard_problems(bundle)
    if problems:
        raise CkptActionError(*problems)
    graph = bundle.object_graph()
    writer = Writer.TENSORFLOW if graph is None else writer_of(graph)
    if graph is None and kind is Kind.OBJECT_GRAPH:
        kind = Kind.NAME_BASED
    meta = prefix.with_name(prefix.name + ".meta")
    files = [index, *bundle.shards] + ([meta] if meta.is_file() else [])
    if kind is Kind.SAVED_MODEL:
        files += [path / name for name in SAVED_MODEL if (path / name).is_file()]
    _refuse_empty(bundle, index)
    return _found(path, kind, writer, files)


def _tables(path: Path, files: tuple[Path, ...]) -> CheckpointFiles:
    """The V1 format of TF1."""
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise CkptActionError(*map(_missing, missing))
    for file in files:
        _refuse_pointer(file)
    if not any(entry.dtype != "string" for entry in table_values(files)):
        raise broken(path, f"{path.name} holds no variable of a model.", "")
    meta = path.with_name(path.name + ".meta")
    graph = [meta] if meta.is_file() else []
    return _found(path, Kind.TF1_V1, Writer.TENSORFLOW, [*files, *graph])


def _refuse_empty(bundle: TensorBundle, index: Path) -> None:
    """A checkpoint without a model: no variables at all, or only counters."""
    graph = bundle.object_graph()
    roles = read_roles(graph, bundle.entries).by_key if graph else {}
    if any(
        roles.get(key, Role.MODEL) in (Role.MODEL, Role.TABLE)
        for key, entry in bundle.entries.items()
        if entry.dtype not in ("string", "variant", "resource") or roles.get(key) is Role.TABLE
    ):
        return
    held = ", ".join(sorted(bundle.entries)[:5]) or "nothing"
    message = f"{index.name} holds no variable of a model, only: {held}."
    hint = (
        "It was saved before the model was built, or without the model; or Keras 3 saved one whose "
        "layers all lie in lists or dicts, which tf.train.Checkpoint does not see. Save it again, "
        "with model.save_weights('x.weights.h5')."
    )
    raise broken(index, message, hint)


def _shard_problems(bundle: TensorBundle) -> list[Problem]:
    found = []
    for file, needed in zip(bundle.shards, bundle.shard_sizes, strict=True):
        if not file.is_file():
            found.append(_missing(file))
            continue
        with reading(file):
            if is_lfs_pointer(file):
                found.append(_pointer(file))
            elif (size := file.stat().st_size) < needed:
                message = f"{file.name} is truncated: it has {size} bytes of at least {needed}."
                found.append(problem(file, message, AGAIN))
    return found


def _missing(file: Path) -> Problem:
    tracked = file.with_name(file.name + ".dvc").is_file()
    hint = "Run `dvc pull`." if tracked else "Copy or commit all files of the checkpoint."
    return problem(file, f"{file.name} is missing: the checkpoint is incomplete.", hint)


def _folder(path: Path, *, look_inside: bool) -> CheckpointFiles:
    if is_saved_model(path):
        prefix = path / "variables" / "variables"
        if is_prefix(prefix):
            return _bundle(path, prefix, Kind.SAVED_MODEL)
        raise broken(path, f"{path.name} is a SavedModel without variables.", "")
    if is_keras_folder(path):
        return _archive(path, look_inside=look_inside)
    if is_orbax(path):
        message = f"{path.name} is an Orbax checkpoint, which is not supported."
        hint = "Load it where it was trained and save it with model.save_weights('x.weights.h5')."
        raise broken(path, message, hint)
    raise broken(path, f"{path.name} is a folder without a checkpoint in it.", "")


def _hdf5(file: Path, *, look_inside: bool) -> CheckpointFiles:
    _refuse_truncated(file)
    return _keras(file, Kind.HDF5, Writer.UNKNOWN, [file], look_inside=look_inside)


def _archive(path: Path, *, look_inside: bool) -> CheckpointFiles:
    archive = KerasArchive(path)
    files = [path / name for name in archive.members] if path.is_dir() else [path]
    files = [file for file in files if file.is_file()]
    for file in files:
        with reading(file):
            _refuse_pointer(file)
    return _keras(path, Kind.KERAS_ARCHIVE, archive.writer, files, look_inside=look_inside)


def _sharded(file: Path, *, look_inside: bool) -> CheckpointFiles:
    shards = [file.with_name(name) for name in shard_names(file, file.read_text("utf-8"))]
    problems: list[Problem] = []
    for shard in shards:
        try:
            with reading(shard):
                _refuse_pointer(shard)
                _refuse_truncated(shard)
        except CkptActionError as error:
            problems += error.problems
    if problems:
        raise CkptActionError(*problems)
    files = [file, *shards]
    kind, writer = Kind.KERAS_WEIGHTS_SHARDED, Writer.KERAS_3
    return _keras(file, kind, writer, files, look_inside=look_inside)


def _keras(
    path: Path, container: Kind, writer: Writer, files: list[Path], *, look_inside: bool
) -> CheckpointFiles:
    if not look_inside:
        return _found(path, container, writer, files)
    described = describe(path, container)
    if not any(entry.role is Role.MODEL for entry in described.entries):
        raise broken(path, f"{path.name} holds no weight of a model.", "")
    return _found(path, described.kind, described.writer, files)


def _refuse_truncated(file: Path) -> None:
    announced, size = declared_size(head(file, 48)), file.stat().st_size
    if announced is not None and announced > size:
        message = f"{file.name} is truncated: it has {size} bytes of {announced}."
        raise broken(file, message, AGAIN)


def _found(path: Path, kind: Kind, writer: Writer, files: list[Path]) -> CheckpointFiles:
    return CheckpointFiles(
        path=path,
        kind=kind,
        writer=writer,
        step=step_of(path),
        files=tuple(sorted(files)),
        bytes=sum(file.stat().st_size for file in files),
    )


def _refuse_pointer(file: Path) -> None:
    if is_lfs_pointer(file):
        raise CkptActionError(_pointer(file))


def _pointer(file: Path) -> Problem:
    message = f"{file.name} is a Git LFS pointer: its content was not fetched."
    return problem(file, message, LFS_HINT)
