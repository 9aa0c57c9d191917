"""Rules for values that TOML can write and the program cannot take: dates, infinities."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator

from ckpt_action.config.findings import Finding
from ckpt_action.config.tables import ModelTable
from ckpt_action.config.wording import KeyPath, value_text


def value_findings(model: ModelTable) -> Iterator[Finding]:
    for key, value in model.get("arguments", {}).items():
        yield from _dates(value, model.at("arguments", key))
    for name, signature in model.get("signatures", {}).items():
        for tensor, value in signature.get("constants", {}).items():
            yield from _dates(value, model.at("signatures", name, "constants", tensor))
    verify = model.get("verify", {})
    for key, value in (
        (model.at("timeout"), model.get("timeout")),
        *((model.at("verify", key), verify.get(key)) for key in ("rtol", "atol")),
    ):
        if isinstance(value, float) and not math.isfinite(value):
            yield Finding(path=key, message=f"{value_text(value)} is no limit at all.")


def _dates(value: object, path: KeyPath) -> Iterator[Finding]:
    if isinstance(value, dt.date | dt.time):
        yield Finding(
            path=path,
            message="A date or time cannot be handed to the model's process.",
            hint="Write it as a string.",
        )
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _dates(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _dates(item, (*path, key))
