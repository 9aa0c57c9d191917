"""The release, brought step by step to what it should hold: draft, upload all, check, publish.

Each step looks at what is there and does the one thing that comes next. So it does not matter
whether an answer was lost or a run was killed: the next step, or the next run, goes on from there.
Only our own names, and what broken uploads left under them, are ever deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ckpt_action.errors import CkptActionError, ExitCode, Problem, fail
from ckpt_action.release.api import Api, RequestError
from ckpt_action.release.assets import Asset
from ckpt_action.release.remote import Release, Shelf, create, find, publish
from ckpt_action.release.wanted import Wanted

_REPLACEMENT = ".new"
"""Ending of a name under which new bytes arrive while the old ones are still there."""


def attach(
    api: Api, wanted: Wanted, assets: Sequence[Asset], say: Callable[[str], None]
) -> Release:
    """Attach `assets`, check every one, then publish; returns the release.

    A release that is already public gets what it lacks. Raises CkptActionError (RELEASE): then a
    draft is still a draft, and the next run goes on with it.
    """
    try:
        release = api.persistently(lambda: _open(api, wanted, say))
        shelf = Shelf(api, wanted.repository, release)
        if problems := api.persistently(lambda: [*_conflicts(release, shelf, assets, wanted)]):
            raise CkptActionError(*problems)
        for asset in assets:
            step = partial(_advance, shelf, asset)
            while done := api.persistently(step):
                say(done)
        api.persistently(lambda: _check(shelf, assets))
        if wanted.draft or not release.draft:
            return release
        return api.persistently(lambda: publish(api, wanted.repository, release))
    except RequestError as error:
        raise _failure(error, wanted) from error


def _open(api: Api, wanted: Wanted, say: Callable[[str], None]) -> Release:
    if release := find(api, wanted.repository, wanted.tag):
        say(f"found the {'draft' if release.draft else 'release'} {release.page}")
        return release
    release = create(api, wanted)
    say(f"made the draft {release.page}")
    return release


def _conflicts(
    release: Release, shelf: Shelf, assets: Sequence[Asset], wanted: Wanted
) -> Iterator[Problem]:
    """Everything that cannot or may not be done, before any of it is."""
    for asset in assets:
        there = shelf.listing().get(asset.name)
        if there and shelf.holds(there, asset):
            continue
        if release.immutable:
            yield Problem(
                code=ExitCode.RELEASE,
                message=f"{asset.name} cannot be {'replaced' if there else 'added'}: the release "
                f"{release.tag} is published and immutable.",
                hint="Attach to a draft, which publishes it with all its assets at once; or take a "
                "new tag.",
            )
        elif there and there.whole and not wanted.replace:
            yield Problem(
                code=ExitCode.RELEASE,
                message=f"The release {release.tag} has another {asset.name} already.",
                hint="Take a new tag, or give --replace if nobody relies on what is there.",
            )


def _advance(shelf: Shelf, asset: Asset) -> str:
    """Do the next thing for one asset and say it; empty where nothing is left to do."""
    name, new_name = asset.name, asset.name + _REPLACEMENT
    try:
        there, new = shelf.listing().get(name), shelf.listing().get(new_name)
        done = there is not None and shelf.holds(there, asset)
        if there and not there.whole:
            shelf.delete(there)
            return f"removed what a broken upload left of {name}"
        if new and (done or not shelf.holds(new, asset)):
            shelf.delete(new)
            return f"removed {new_name}, which is not needed"
        if done:
            return ""
        if new:
            # The new bytes are there and checked; only now do the old ones go.
            if there:
                shelf.delete(there)
            shelf.rename(new, name)
            return f"attached {name}"
        shelf.upload(asset, new_name if there else name)
    except RequestError:
        shelf.forget()
        raise
    return f"uploaded {new_name}" if there else f"attached {name}"


def _check(shelf: Shelf, assets: Sequence[Asset]) -> None:
    """Every asset as the server lists it now, whatever its answers to our uploads were."""
    shelf.forget()
    listing = shelf.listing()
    for asset in assets:
        there = listing.get(asset.name)
        if there is None or not shelf.holds(there, asset):
            raise RequestError(f"{asset.name} is not in the release as it was sent", passing=True)


def _failure(error: RequestError, wanted: Wanted) -> CkptActionError:
    if error.status == 401:
        hint = "The token is not valid, or no longer."
    elif error.status in {403, 404} and not error.passing:
        hint = f"May the token write to {wanted.repository}? A workflow's job needs `permissions: "
        hint += "contents: write`."
    else:
        hint = "What was attached stays. Run it again, and it goes on from there."
    return fail(ExitCode.RELEASE, f"The release {wanted.tag} is not complete: {error}.", hint=hint)
