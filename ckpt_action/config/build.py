"""Tables whose form and rules are right, as records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ckpt_action.config.places import Places
from ckpt_action.config.records import (
    Config,
    EntryPoint,
    InputSpec,
    Model,
    OutputSpec,
    Restore,
    Signature,
    TargetSpec,
    Verify,
)
from ckpt_action.config.tables import ModelTable
from ckpt_action.config.vocabulary import parse_duration, parse_size

_GATES: Mapping[str, Callable[[Any], Any]] = {
    "max-size": parse_size,
    "max-gzip-size": parse_size,
    "max-latency": parse_duration,
    "min-agreement": float,
}
_TARGET_KEYS = {"format", "name", *_GATES}


def build_config(
    file: Path, export: Mapping[str, Any], models: tuple[Model, ...], places: Places
) -> Config:
    return Config(
        file=places.folder / file.name,
        output_dir=places.resolve(export.get("output-dir", "dist")),
        python_path=python_path(export, places),
        models=models,
    )


def python_path(export: Mapping[str, Any], places: Places) -> tuple[Path, ...]:
    """Absolute folders where entry points are looked for."""
    return tuple(places.resolve(text) for text in export.get("python-path", ["."]))


def build_model(table: ModelTable, places: Places) -> Model:
    """Every key that is left out keeps the default of the record."""
    given: dict[str, Any] = {
        field: table.get(key)
        for field, key in (
            ("select", "select"),
            ("keras", "keras"),
            ("safe_mode", "safe-mode"),
            ("lazy_init", "lazy-init"),
        )
        if key in table
    }
    if "timeout" in table:
        given["timeout"] = float(table.get("timeout"))
    return Model(
        name=table.name,
        entry_point=entry_point(table),
        checkpoints=tuple(table.get("checkpoints")),
        op_libraries=tuple(places.resolve(text) for text in table.get("op-libraries", ())),
        imports=tuple(table.get("import", ())),
        restore=_restore(table.get("restore", {})),
        signatures=tuple(_signature(*item) for item in table.get("signatures", {}).items()),
        targets=tuple(_target(target) for target in table.get("targets")),
        verify=_verify(table.get("verify", {}), places),
        **given,
    )


def entry_point(table: ModelTable) -> EntryPoint | None:
    """The entry point with its arguments; needs no other key of the table."""
    if "entry-point" not in table:
        return None
    module, _, attribute = table.get("entry-point").partition(":")
    return EntryPoint(module=module, attribute=attribute, arguments=table.get("arguments", {}))


def _restore(data: Mapping[str, Any]) -> Restore:
    return Restore(
        root=data.get("root"),
        weights=data.get("weights", "raw"),
        allow_missing=tuple(data.get("allow-missing", ())),
        allow_unused=tuple(data.get("allow-unused", ())),
    )


def _signature(name: str, data: Mapping[str, Any]) -> Signature:
    outputs = data.get("outputs", ())
    tensors: Mapping[str, str] = outputs if isinstance(outputs, dict) else {}
    return Signature(
        name=name,
        method=data.get("method", "__call__"),
        inputs=tuple(
            InputSpec(
                name=key,
                dtype=spec["dtype"],
                shape=tuple(spec["shape"]),
                tensor=spec.get("tensor"),
            )
            for key, spec in data["inputs"].items()
        ),
        outputs=tuple(OutputSpec(name=key, tensor=tensors.get(key)) for key in outputs),
        constants=data.get("constants", {}),
    )


def _target(data: str | Mapping[str, Any]) -> TargetSpec:
    table = {"format": data} if isinstance(data, str) else data
    gates = {k.replace("-", "_"): read(table[k]) for k, read in _GATES.items() if k in table}
    return TargetSpec(
        format=table["format"],
        name=table.get("name", table["format"]),
        options={key: value for key, value in table.items() if key not in _TARGET_KEYS},
        **gates,
    )


def _verify(data: Mapping[str, Any], places: Places) -> Verify:
    given = {key: data[key] for key in ("samples", "seed") if key in data}
    given |= {key: float(data[key]) for key in ("rtol", "atol") if key in data}
    golden = places.resolve(data["golden"]) if "golden" in data else None
    return Verify(golden=golden, **given)
