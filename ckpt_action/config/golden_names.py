"""A golden file's arrays beside signatures: those that are declared, or the one to declare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ckpt_action.config.findings import Finding
from ckpt_action.config.npz import Array, npz_arrays
from ckpt_action.config.places import Places
from ckpt_action.config.tables import ModelTable
from ckpt_action.config.wording import key_text


def golden_inputs(file: Path) -> Mapping[str, Array]:
    """Its inputs by their names; none where it cannot be read."""
    try:
        arrays = npz_arrays(file)
    except (OSError, ValueError):
        return {}
    return {n.removeprefix("in_"): array for n, array in arrays.items() if n.startswith("in_")}


def declared_inputs(inputs: Mapping[str, Array]) -> list[str]:
    """As TOML; empty where one has a dtype that cannot be declared. The first size is free."""
    if not all(array.dtype for array in inputs.values()):
        return []
    return [_input(name, array) for name, array in inputs.items()]


def lengths(inputs: Mapping[str, Array]) -> list[int]:
    """Sizes that may be free in the model as the first one is: of the second axis, but for rows of
    features."""
    found = (
        array.shape[1]
        for array in inputs.values()
        if len(array.shape) > (1 if array.dtype.startswith(("int", "uint", "string")) else 2)
    )
    return sorted({*found})


def _input(name: str, array: Array) -> str:
    shape = ", ".join(['"batch"', *map(str, array.shape[1:])] if array.shape else [])
    return f'{key_text(name)} = {{ dtype = "{array.dtype}", shape = [{shape}] }}'


def golden_findings(model: ModelTable, places: Places) -> Iterator[Finding]:
    """Nothing where the file cannot be read: an export says it. Without declared signatures, only
    arrays that can be of none."""
    signatures = model.get("signatures", {})
    golden = model.get("verify", {}).get("golden")
    if golden is None or not all("inputs" in s for s in signatures.values()):
        return
    try:
        names = set(npz_arrays(places.resolve(golden)))
    except (OSError, ValueError):
        return
    if not signatures:
        yield from _without_prefix(model, names)
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


def _without_prefix(model: ModelTable, names: set[str]) -> Iterator[Finding]:
    strange = sorted(name for name in names if not name.startswith(("in_", "out_")))
    if strange:
        yield Finding(
            path=model.at("verify", "golden"),
            message=f"The golden file has {_listed(strange)}, which is no input and no output.",
            hint="Name the arrays `in_<input>` and `out_<output>`.",
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
