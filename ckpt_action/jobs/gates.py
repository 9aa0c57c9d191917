"""Limits that an artifact has to keep although it is right: size, speed, agreement."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from ckpt_action.config.records import TargetSpec
from ckpt_action.config.vocabulary import size_text
from ckpt_action.errors import ExitCode, Problem
from ckpt_action.outcome import ArtifactOutcome, Proof
from ckpt_action.verify import agreeing_rows


def gated(artifact: ArtifactOutcome, target: TargetSpec, folder: Path) -> ArtifactOutcome:
    """`artifact`, which lies in `folder`, with a proof for each gate that `target` declares, and
    a problem for each that it breaks."""
    results = list(_results(artifact, target, folder))
    return replace(
        artifact,
        proofs=(
            *artifact.proofs,
            *(Proof(name=name, passed=not why, detail=limit) for name, limit, why, _ in results),
        ),
        problems=(
            *artifact.problems,
            *(
                Problem(
                    code=ExitCode.GATE,
                    message=f"Artifact {artifact.name!r} {why} its `{name}` of {limit}.",
                    hint=hint,
                )
                for name, limit, why, hint in results
                if why
            ),
        ),
    )


def _results(
    artifact: ArtifactOutcome, target: TargetSpec, folder: Path
) -> Iterator[tuple[str, str, str, str]]:
    """(gate, limit in words, how it is broken or nothing, what to do)."""
    if (most := target.max_size) is not None:
        why = f"has {artifact.bytes} bytes, more than" if artifact.bytes > most else ""
        yield "max-size", size_text(most), why, "Raise `max-size`, or make the model smaller."
    if (most := target.max_gzip_size) is not None:
        size = gzip_bytes(folder)
        why = f"has {size} bytes as gzip, more than" if size > most else ""
        hint = "Raise `max-gzip-size`, or make the model smaller."
        yield "max-gzip-size", size_text(most), why, hint
    if target.max_latency is not None:
        why, hint = _too_slow(artifact, target.max_latency)
        yield "max-latency", f"{target.max_latency * 1e3:g} ms", why, hint
    if target.min_agreement is not None:
        why, hint = _too_different(artifact, target.min_agreement)
        yield "min-agreement", f"{target.min_agreement:g}", why, hint


def gzip_bytes(folder: Path) -> int:
    """Of all files in `folder`, each compressed alone as a web server does."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return sum(len(gzip.compress(file.read_bytes(), 9, mtime=0)) for file in files)


def _too_slow(artifact: ArtifactOutcome, most: float) -> tuple[str, str]:
    found = artifact.latency
    if found is None:
        unrun = [p.detail for p in artifact.proofs if p.name == "values" and p.passed is None]
        why = unrun[0] if unrun else "there is nothing that runs it"
        return (
            f"could not be timed here ({why}), so nobody knows whether it keeps",
            "Let its own runtime run it, or leave out `max-latency` and measure where it is used.",
        )
    how = f"median of {found.runs} calls of {found.call}, on {found.machine}"
    shown = f"takes {found.seconds * 1e3:.3g} ms for one call ({how}), more than"
    hint = "Raise `max-latency`, or make the model faster. Another machine has another speed."
    return (shown, hint) if found.seconds > most else ("", "")


def _too_different(artifact: ArtifactOutcome, least: float) -> tuple[str, str]:
    same, total = agreeing_rows(artifact.verdicts)
    if not total:
        return (
            "has no output with scores of classes, so nothing can be counted for",
            "Leave out `min-agreement`.",
        )
    why = f"chooses the model's class in {same} of {total} rows, less than"
    hint = (
        "Quantise less, or give `representative-data` that is more like the real inputs. More rows "
        "tell more: `verify.golden`, or larger `verify.samples`."
    )
    # As it was written: 0.07 of 100 are 7, and a little more in binary.
    return (why, hint) if same < Decimal(repr(least)) * total else ("", "")
