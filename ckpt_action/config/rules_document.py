"""Rules about a document as a whole: the output folder, names that collide, unused defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ckpt_action.config.findings import Finding
from ckpt_action.config.places import Places
from ckpt_action.config.tables import ModelTable
from ckpt_action.config.wording import value_text
from ckpt_action.errors import Severity


def export_findings(export: Mapping[str, Any], places: Places) -> Iterator[Finding]:
    """About the `[export]` table."""
    yield from _output_dir(export.get("output-dir", "dist"), places)
    for index, text in enumerate(export.get("python-path", ())):
        path = ("export", "python-path", index)
        if why := places.refusal(text):
            hint = places.correction(text)
            yield Finding(path=path, message=f"{value_text(text)} {why}.", hint=hint)
        elif not places.resolve(text).is_dir():
            yield Finding(path=path, message=f"There is no folder {value_text(text)}.")


def _output_dir(text: str, places: Places) -> Iterator[Finding]:
    path = ("export", "output-dir")
    folder = places.resolve(text)
    if why := places.refusal(text):
        yield Finding(path=path, message=f"{value_text(text)} {why}.", hint=places.correction(text))
    elif any(part.startswith(".") for part in folder.relative_to(places.repository).parts):
        yield Finding(
            path=path,
            message=f"The folder {value_text(text)} is hidden; uploads leave hidden files out.",
            hint='As in `output-dir = "dist"`.',
        )
    elif folder == places.folder or folder in places.folder.parents:
        yield Finding(
            path=path,
            message=f"{value_text(text)} is a folder around this file, not one for artifacts.",
            hint='As in `output-dir = "dist"`.',
        )
    elif folder.exists() and not folder.is_dir():
        yield Finding(path=path, message=f"{value_text(text)} is a file, not a folder.")


def names_findings(models: Sequence[ModelTable]) -> Iterator[Finding]:
    """Names that are the same folder where file names ignore case."""
    names: dict[str, str] = {}
    for model in models:
        other = names.setdefault(model.name.lower(), model.name)
        if other != model.name:
            yield Finding(
                path=model.path,
                at_key=True,
                message=f"The models `{other}` and `{model.name}` differ by case only, and share "
                "a folder on macOS and Windows.",
            )


def defaults_findings(
    defaults: Mapping[str, Any], models: Sequence[ModelTable]
) -> Iterator[Finding]:
    """Defaults that every model replaces."""
    for key in defaults:
        if models and not any(model.uses_default(key) for model in models):
            yield Finding(
                path=("defaults", key),
                at_key=True,
                severity=Severity.WARNING,
                message=f"No model uses this default: each has its own `{key}`.",
            )
