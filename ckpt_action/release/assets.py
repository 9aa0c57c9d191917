"""The files that a release gets, made from an exported folder: archives, digests, the manifest.

An artifact of several files becomes one archive that unpacks to its place in the exported folder.
Files that are named after the model alone, as a frozen graph's are, stay files, so that a consumer
can download just that.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ckpt_action.digests import file_digest
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Where
from ckpt_action.manifest import NAME, SUMS, Exported, Manifest, sums
from ckpt_action.outcome import ArtifactOutcome, FileRecord
from ckpt_action.release.archive import SUFFIX, pack
from ckpt_action.report.figures import human_bytes

BYTES_LIMIT = 1 << 31
"""Of one asset; it must be smaller (docs.github.com, "About releases")."""
COUNT_LIMIT = 1000
"""Assets of one release, from the same page."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?")
"""What GitHub keeps as it is. It replaces other characters by periods without a word, `@` and `+`
among them in some of its clients."""
_FOREIGN = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file for the release, under the name that it has there."""

    file: Path
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        return self.file.name


def make_assets(folder: Path, manifest: Manifest, into: Path) -> tuple[Asset, ...]:
    """Write what `folder` holds into the empty folder `into`, as a release takes it.

    The last two are `manifest.json` and a `SHA256SUMS` over all the others; equal folders give
    equal bytes. Raises CkptActionError (RELEASE) with everything that GitHub would not take as it
    is.
    """
    names = [name for job in manifest.jobs for a in job.artifacts for name in _names(job, a)]
    if problems := [*_name_problems([*names, NAME, SUMS])]:
        raise CkptActionError(*problems)
    for job in manifest.jobs:
        for artifact in job.artifacts:
            _write(folder, job, artifact, into)
    shutil.copyfile(folder / NAME, into / NAME)
    made = [_asset(into / name) for name in [*names, NAME]]
    records = [FileRecord(path=a.name, bytes=a.bytes, sha256=a.sha256) for a in made]
    text = sums(sorted(records, key=lambda record: record.path))
    (into / SUMS).write_text(text, encoding="utf-8", newline="\n")
    assets = (*made, _asset(into / SUMS))
    if problems := [*size_problems(assets)]:
        raise CkptActionError(*problems)
    return assets


def size_problems(assets: Iterable[Asset]) -> Iterator[Problem]:
    """Assets that are too large for GitHub."""
    for asset in assets:
        if asset.bytes >= BYTES_LIMIT:
            yield _problem(
                f"{asset.name} has {human_bytes(asset.bytes)}; GitHub takes less than 2 GiB.",
                "Export the model in parts, or keep it out of the release.",
                asset.file,
            )


def _write(folder: Path, job: Exported, artifact: ArtifactOutcome, into: Path) -> None:
    place = folder / artifact.folder
    names = _names(job, artifact)
    if _is_plain(job, artifact):
        for name, record in zip(names, artifact.files, strict=True):
            shutil.copyfile(place / record.path, into / name)
    else:
        paths = [f"{artifact.folder}/{record.path}" for record in artifact.files]
        pack(folder, paths, into / names[0])


def _names(job: Exported, artifact: ArtifactOutcome) -> list[str]:
    stem = _FOREIGN.sub("-", f"{job.name}-{artifact.name}")
    if _is_plain(job, artifact):
        return [stem + record.path.removeprefix(job.model) for record in artifact.files]
    return [stem + SUFFIX]


def _is_plain(job: Exported, artifact: ArtifactOutcome) -> bool:
    """Whether every file is named `<model>.<kind>`, so that it can stand beside others."""
    return all(re.fullmatch(rf"{re.escape(job.model)}(\.\w+)+", f.path) for f in artifact.files)


def _asset(file: Path) -> Asset:
    return Asset(file=file, bytes=file.stat().st_size, sha256=file_digest(file))


def _name_problems(names: list[str]) -> Iterator[Problem]:
    if len(names) > COUNT_LIMIT:
        yield _problem(
            f"There are {len(names)} files; a release takes {COUNT_LIMIT}.",
            "Export fewer models into one folder.",
        )
    for name, times in Counter(name.casefold() for name in names).items():
        if times > 1:
            yield _problem(
                f"{times} files would be called {name} in the release.",
                "Rename one of the models or targets.",
            )
    for name in names:
        if not _NAME.fullmatch(name):
            yield _problem(
                f"GitHub would rename the file {name!r}.",
                "Use letters, digits, `.`, `_` and `-` in names of models and targets.",
            )


def _problem(message: str, hint: str, file: Path | None = None) -> Problem:
    where = Where(file=str(file)) if file else None
    return Problem(code=ExitCode.RELEASE, message=message, hint=hint, where=where)
