"""A whole release: check the folder, make its assets, attach them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ckpt_action.errors import ExitCode, Where, fail
from ckpt_action.release.assets import make_assets
from ckpt_action.release.folder import read_folder
from ckpt_action.release.wanted import Wanted

if TYPE_CHECKING:
    from ckpt_action.release.remote import Release

_TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
_GITHUB = "https://api.github.com"


def release(
    folder: Path,
    wanted: Wanted,
    into: Path,
    *,
    environ: Mapping[str, str],
    say: Callable[[str], None],
) -> Release:
    """Attach the exported `folder` to the release that `wanted` describes.

    The files for it are written into `into`, a new or empty folder, and stay there. Nothing is sent
    before all of them are found to be as GitHub takes them. Runs no code of the repository.
    """
    try:
        from ckpt_action.release.api import Api, Clock
        from ckpt_action.release.attach import attach
        from ckpt_action.release.transport import Transport
    except ModuleNotFoundError as error:
        raise fail(
            ExitCode.ENVIRONMENT,
            f"{error.name} is not installed.",
            hint='Install it with: pip install "ckpt-action[release]"',
        ) from error

    api = Api(
        environ.get("GITHUB_API_URL") or _GITHUB,
        _token(environ),
        transport=Transport(),
        clock=Clock(),
        say=say,
    )
    folder = folder.absolute()
    manifest = read_folder(folder, wanted.allow_unproven)
    _make_empty(into)
    assets = make_assets(folder, manifest, into)
    commits = {job.commit for job in manifest.jobs}
    # Another repository has no such commit.
    here = environ.get("GITHUB_REPOSITORY", wanted.repository)
    own = wanted.repository.casefold() == here.casefold()
    commit = commits.pop() if own and len(commits) == 1 else None
    return attach(api, replace(wanted, commit=commit), assets, say)


def _token(environ: Mapping[str, str]) -> str:
    token = next((environ[name].strip() for name in _TOKENS if environ.get(name)), "")
    if token and token.isascii() and token.isprintable():
        return token
    raise fail(
        ExitCode.RELEASE,
        f"{' and '.join(_TOKENS)} hold no token." if not token else "The token is damaged.",
        hint="Set GITHUB_TOKEN to a token that may write to the repository's contents.",
    )


def _make_empty(into: Path) -> None:
    try:
        into.mkdir(parents=True, exist_ok=True)
        full = any(into.iterdir())
    except OSError as error:
        raise fail(ExitCode.OUTPUT, f"Cannot write into {into}: {error.strerror}.") from error
    if full:
        raise fail(
            ExitCode.OUTPUT,
            f"{into} is not empty.",
            hint="Give --assets-dir a new folder.",
            where=Where(file=str(into)),
        )
