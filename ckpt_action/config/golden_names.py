"""A golden file's arrays beside the declared signatures, by their names alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ckpt_action.config.findings import Finding
from ckpt_action.config.npz import npz_arrays
from ckpt_action.config.places import Places
from ckpt_action.config.tables import ModelTable


def golden_findings(model: ModelTable, places: Places) -> Iterator[Finding]:
    """Nothing where the file cannot be read or no signature is declared: an export says it."""
    signatures = model.get("signatures", {})
    golden = model.get("verify", {}).get("golden")
    if golden is None or not signatures or not all("inputs" in s for s in signatures.values()):
        return
    try:
        names = set(npz_arrays(places.resolve(golden)))
    except (OSError, ValueError):
        return
    if not names or any(_fits(names, signature) for signature in signatures.values()):
        return
    name, signature = next(iter(signatures.items()))
    yield Finding(
        path=model.at("verify", "golden"),
        message=f"The golden file has {_listed(sorted(names))}; signature `{name}` needs "
        f"{_listed(_wanted(signature))}.",
        hint="Name the arrays `in_<input>` and `out_<output>`, or the signature as the arrays.",
    )


def _fits(names: set[str], signature: Mapping[str, Any]) -> bool:
    inputs = {f"in_{name}" for name in signature["inputs"]}
    if not inputs <= names or any(n.startswith("in_") for n in names - inputs):
        return False
    outputs = list(signature.get("outputs", ()))
    places = {f"out_{index}" for index in range(len(outputs))}
    named = {f"out_{name}" for name in outputs}
    known = all(
        f"out_{name}" in names or f"out_{index}" in names for index, name in enumerate(outputs)
    )
    return known and (not outputs or names - inputs <= named | places)


def _wanted(signature: Mapping[str, Any]) -> list[str]:
    outputs = signature.get("outputs", ())
    return [f"in_{n}" for n in signature["inputs"]] + [f"out_{n}" for n in outputs]


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
