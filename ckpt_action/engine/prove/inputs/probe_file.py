"""Probes with their outputs, from the exporting child to the verifying ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ckpt_action.engine.arrays import Array, load, save
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.errors import Severity

_PARTS = ("inputs", "reference", "golden")


def save_probes(path: Path, probes: tuple[Probe, ...]) -> None:
    """One file; the name of each array is the JSON of its place in the probes."""
    save(
        path,
        {
            json.dumps([number, *_said(probe), part, name]): array
            for number, probe in enumerate(probes)
            for part in _PARTS
            for name, array in (getattr(probe, part) or {}).items()
        },
    )


def load_probes(path: Path) -> tuple[Probe, ...]:
    """What `save_probes` wrote."""
    found: dict[tuple[Any, ...], dict[str, dict[str, Array]]] = {}
    for place, array in load(path).items():
        *said, part, name = json.loads(place)
        parts = found.setdefault(tuple(said), {})
        parts.setdefault(part, {})[name] = array
    return tuple(
        Probe(
            signature=signature,
            label=label,
            inputs=parts.get("inputs", {}),
            reference=parts.get("reference", {}),
            golden=parts.get("golden"),
            edge=Severity(edge) if edge else None,
            cut=cut,
            beside=beside,
            scaled=scaled,
        )
        for (_, signature, label, edge, cut, beside, scaled), parts in found.items()
    )


def _said(probe: Probe) -> tuple[str, str, str | None, bool, bool, str]:
    return probe.signature, probe.label, probe.edge, probe.cut, probe.beside, probe.scaled
