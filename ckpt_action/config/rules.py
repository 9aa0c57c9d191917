"""Rules that no schema can say, on tables whose form is right: what contradicts itself, and what
is valid but surely wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from ckpt_action.config.findings import Finding
from ckpt_action.config.places import Places
from ckpt_action.config.records import DEFAULT_SIGNATURE
from ckpt_action.config.rules_targets import target_findings
from ckpt_action.config.rules_values import value_findings
from ckpt_action.config.tables import ModelTable
from ckpt_action.config.wording import value_text
from ckpt_action.errors import Severity

_CHECKPOINT_PART = re.compile(r"(.+)\.(index|meta|data-\d{5}-of-\d{5})")
_RESERVED = ("manifest.json", "report.html", "sha256sums")


def presence_findings(model: ModelTable) -> Iterator[Finding]:
    """What holds for any table of a model, whatever the form of its values."""
    return chain(_names(model), _required(model))


def model_findings(model: ModelTable, places: Places) -> Iterator[Finding]:
    """Everything that can be said about one model without looking at another file."""
    return chain(
        _checkpoints(model, places),
        _entry_point(model),
        _restore(model),
        _signatures(model),
        target_findings(model),
        value_findings(model),
    )


def _names(model: ModelTable) -> Iterator[Finding]:
    if model.name.lower() in _RESERVED:
        yield Finding(
            path=model.path,
            at_key=True,
            message=f"No model can be named `{model.name}`: the output folder has a file of "
            "that name.",
        )


def _required(model: ModelTable) -> Iterator[Finding]:
    if model.is_longer_name:
        return  # which is said already
    for key, example in (("checkpoints", '["runs/*/ckpt-*"]'), ("targets", '["saved-model"]')):
        if key not in model and not model.misspells(key):
            yield Finding(
                path=model.path,
                message=f"The key `{key}` is missing, and `[defaults]` does not have it.",
                hint=f"As in `{key} = {example}`.",
            )


def _checkpoints(model: ModelTable, places: Places) -> Iterator[Finding]:
    for index, pattern in enumerate(model.get("checkpoints", ())):
        path = model.at("checkpoints", index)
        if why := places.refusal(pattern):
            hint = places.correction(pattern)
            yield Finding(path=path, message=f"{value_text(pattern)} {why}.", hint=hint)
        elif part := _CHECKPOINT_PART.fullmatch(pattern):
            yield Finding(
                path=path,
                severity=Severity.WARNING,
                message=f"{value_text(pattern)} is one file of a checkpoint; its prefix is taken.",
                hint=f"Write {value_text(part[1])}.",
            )


def _entry_point(model: ModelTable) -> Iterator[Finding]:
    if "arguments" in model and "entry-point" not in model:
        yield Finding(
            path=model.at("arguments"),
            at_key=True,
            message="`arguments` are given but there is no `entry-point` that takes them.",
        )


def _restore(model: ModelTable) -> Iterator[Finding]:
    restore = model.get("restore", {})
    for index, pattern in enumerate(restore.get("allow-missing", ())):
        if not pattern.strip("*/"):
            yield Finding(
                path=model.at("restore", "allow-missing", index),
                message=f"{value_text(pattern)} lets every variable keep its initial value: a "
                "model without trained weights would pass.",
                hint="Name the variables that are really not in the checkpoint.",
            )
    for index, pattern in enumerate(restore.get("allow-unused", ())):
        if not pattern.strip("*/"):
            yield Finding(
                path=model.at("restore", "allow-unused", index),
                severity=Severity.WARNING,
                message=f"{value_text(pattern)} lets every value of the checkpoint stay unused: "
                "a layer that was lost from the code goes unnoticed.",
                hint="Name the values that are no part of this model.",
            )


def _signatures(model: ModelTable) -> Iterator[Finding]:
    signatures = model.get("signatures", {})
    for name, signature in signatures.items():
        yield from _tensors(model, name, signature)
    if signatures and DEFAULT_SIGNATURE not in signatures:
        yield Finding(
            path=model.at("signatures"),
            severity=Severity.WARNING,
            message=f"No signature is named `{DEFAULT_SIGNATURE}`, the one that TensorFlow Serving "
            "and most clients call unless told otherwise.",
            hint=f"Rename one to `{DEFAULT_SIGNATURE}`.",
        )


def _tensors(model: ModelTable, name: str, signature: Mapping[str, Any]) -> Iterator[Finding]:
    """A signature names tensors of a TF1 graph everywhere or nowhere."""
    path = model.at("signatures", name)
    inputs, outputs = signature["inputs"], signature.get("outputs")
    named = [key for key, spec in inputs.items() if "tensor" in spec]
    if not named and not isinstance(outputs, dict) and "constants" not in signature:
        return
    if "entry-point" in model:
        yield Finding(
            path=path,
            message="This signature names tensors of a TF1 graph, but the model is rebuilt by an "
            "`entry-point`.",
            hint="Leave out the `entry-point`, or the tensor names and `constants`.",
        )
        return
    for key in inputs:
        if key not in named:
            yield Finding(
                path=(*path, "inputs", key),
                message=f"The input `{key}` names no tensor, while others of this signature do.",
                hint='As in `tensor = "Placeholder:0"`.',
            )
    if not isinstance(outputs, dict):
        yield Finding(
            path=(*path, "outputs") if outputs else path,
            message="The outputs of a TF1 graph need the tensors that compute them.",
            hint='As in `outputs = { y = "BiasAdd:0" }`.',
        )
    if "method" in signature:
        yield Finding(
            path=(*path, "method"), at_key=True, message="A TF1 graph has no methods to call."
        )
