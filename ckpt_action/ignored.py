"""Checkpoints that lie here and will lie in no checkout: git ignores them, or nobody added them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ckpt_action.checkpoint.discover import discover
from ckpt_action.checkpoint.records import CheckpointFiles
from ckpt_action.config.located import located
from ckpt_action.config.records import Config
from ckpt_action.config.wording import key_path_text
from ckpt_action.errors import ExitCode, Problem, Where, warning
from ckpt_action.git import ignored, untracked

_HINT = (
    "Commit it with Git LFS (`git lfs track`, then `git add{force}`), or fetch it in a step of the "
    "workflow before the export."
)


@dataclass(frozen=True, kw_only=True)
class _Gone:
    """Files that a checkout will not have."""

    ignored: frozenset[Path]
    untracked: frozenset[Path]


def ignored_checkpoints(
    config: Config, file: Path, environ: Mapping[str, str], models: Iterable[str] = ()
) -> tuple[Problem, ...]:
    """A warning at the key `checkpoints` of each model; `file` as it was given, all by default."""
    if _in_workflow(environ):
        return ()
    wanted = [m for m in config.models if not models or m.name in models]
    found = {m.name: discover(m.checkpoints, config.folder, m.select)[0] for m in wanted}
    gone = _gone([one for several in found.values() for one in several])
    problems = (
        replace(problem, where=Where(file=file.as_posix(), key_path=key))
        for name, several in found.items()
        if (key := key_path_text(("models", name, "checkpoints")))
        for problem in _problems(several, gone)
    )
    return located(problems, file)


def ignored_checkpoint(
    checkpoint: CheckpointFiles, environ: Mapping[str, str]
) -> tuple[Problem, ...]:
    """The same of a checkpoint that no file declares. What a job of a workflow has was fetched."""
    if _in_workflow(environ):
        return ()
    return tuple(_problems([checkpoint], _gone([checkpoint])))


def _in_workflow(environ: Mapping[str, str]) -> bool:
    return environ.get("CI", "").lower() in ("true", "1")


def _gone(checkpoints: Iterable[CheckpointFiles]) -> _Gone:
    """DVC makes git ignore what it tracks: that is fetched by its own means."""
    files = dict.fromkeys(f for one in checkpoints for f in one.files)
    own = [file for file in files if not _is_of_dvc(file)]
    missing = untracked(own)
    hidden = frozenset(ignored(missing))
    return _Gone(ignored=hidden, untracked=frozenset(missing) - hidden)


def _is_of_dvc(file: Path) -> bool:
    real = file.resolve()
    return any(Path(f"{path}.dvc").is_file() for path in (real, *real.parents))


def _problems(checkpoints: Iterable[CheckpointFiles], gone: _Gone) -> Iterator[Problem]:
    """One for each reason, that names the first file."""
    files = [file for one in checkpoints for file in one.files]
    if named := _named(file for file in files if file in gone.ignored):
        yield _problem(f"git ignores {named}", " --force")
    if named := _named(file for file in files if file in gone.untracked):
        yield _problem(f"Nobody added {named} to git", "")


def _named(files: Iterable[Path]) -> str:
    first, *others = [*(file.name for file in files), ""]
    return f"{first} and {len(others) - 1} more" if others[1:] else first


def _problem(why: str, force: str) -> Problem:
    return warning(
        ExitCode.CHECKPOINT,
        f"{why}: the checkout of a workflow will not have this checkpoint.",
        hint=_HINT.format(force=force),
    )
