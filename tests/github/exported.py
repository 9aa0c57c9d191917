"""Exported folders as `ckpt-action export` leaves them, made without TensorFlow."""

from __future__ import annotations

import random
from pathlib import Path

from ckpt_action.digests import folder_records
from ckpt_action.manifest import Exported, Manifest, write_manifest
from ckpt_action.outcome import ArtifactOutcome, CheckpointRecord, OutputVerdict, Proof


def exported(
    folder: Path,
    *jobs: str,
    seed: int = 0,
    compared: bool | None = True,
    **manifest: tuple[str, ...],
) -> Path:
    """`jobs` with a SavedModel and a frozen graph each, of bytes that follow from `seed`.

    `compared` is how the comparison of their values ended; None: there was none."""
    verdict = OutputVerdict(
        signature="serving_default", output="y", against="reference", probe="sample 0",
        dtype="float32", shape=(2, 3), passed=bool(compared),
    )  # fmt: skip
    chance = random.Random(seed)
    entries = []
    for name in sorted(jobs):
        model = name.partition("@")[0]
        files = {
            "saved-model": ("saved_model.pb", "variables/variables.data-00000-of-00001"),
            "frozen-graph": (f"{model}.pb", f"{model}.io.json"),
        }
        artifacts = []
        for target, paths in files.items():
            place = folder / name / target
            for path in paths:
                (place / path).parent.mkdir(parents=True, exist_ok=True)
                (place / path).write_bytes(chance.randbytes(chance.randrange(200, 3000)))
            artifacts.append(
                ArtifactOutcome(
                    format=target,
                    name=target,
                    folder=f"{name}/{target}",
                    files=folder_records(place),
                    proofs=tuple(Proof(name=n, passed=True) for n in ("signature", "payload")),
                    verdicts=() if compared is None else (verdict,),
                )
            )
        entries.append(job(name, model, tuple(artifacts)))
    folder.mkdir(exist_ok=True)
    write_manifest(Manifest(jobs=tuple(entries), **manifest), folder)
    return folder


def job(name: str, model: str, artifacts: tuple[ArtifactOutcome, ...]) -> Exported:
    checkpoint = CheckpointRecord(
        path=f"runs/{model}/ckpt-1", kind="tensorflow", writer="keras-3", step=1, sha256="0" * 64,
        bytes=1,
    )  # fmt: skip
    return Exported(
        name=name,
        model=model,
        checkpoint=checkpoint,
        entry_point=f"{model}:build",
        artifacts=artifacts,
        tool="0.0.0",
        commit="c" * 40,
        config="model-export.toml",
    )
