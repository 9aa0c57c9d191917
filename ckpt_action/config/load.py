"""From the file to a `Config`: form, rules, the files it names, and all that is wrong at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ckpt_action.config.build import build_config, build_model, python_path
from ckpt_action.config.document import read_document
from ckpt_action.config.entry_point import import_findings
from ckpt_action.config.files import file_findings
from ckpt_action.config.findings import Finding, is_error, place
from ckpt_action.config.fits import fits
from ckpt_action.config.golden_names import golden_findings
from ckpt_action.config.places import Places, places_of
from ckpt_action.config.records import Config, Model
from ckpt_action.config.rules import model_findings, presence_findings
from ckpt_action.config.rules_document import defaults_findings, export_findings, names_findings
from ckpt_action.config.schema import schema
from ckpt_action.config.tables import model_tables
from ckpt_action.config.wording import KeyPath
from ckpt_action.errors import CkptActionError, Problem


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a file says, or why nothing can be made of it."""

    config: Config | None
    """None where any problem is an error."""
    problems: tuple[Problem, ...]
    """Errors and warnings in the order of the file."""


def load_config(file: Path, *, with_checkpoints: bool = False) -> Loaded:
    """Read and check `file` (absolute, or relative to the working directory).

    A user's mistake never raises. Problems name the file as it was given. `with_checkpoints` looks
    at the checkpoint files too, which planning does by itself.
    """
    document = read_document(file)
    if isinstance(document, Problem):
        return Loaded(config=None, problems=(document,))
    checked = _Checked(document.data, places_of(file))
    findings = list(checked.findings())
    if with_checkpoints:
        findings += checked.checkpoint_findings()
    config = None
    if not any(map(is_error, findings)):
        config = build_config(file, checked.export, tuple(checked.models.values()), checked.places)
    return Loaded(config=config, problems=place(findings, file, document.source))


def load_python_path(file: Path) -> tuple[Path, ...]:
    """Where modules are looked for, whatever else `file` says.

    Raises CkptActionError (CONFIG) where it cannot be read, or `[export]` is not right.
    """
    document = read_document(file)
    if isinstance(document, Problem):
        raise CkptActionError(document)
    checked = _Checked(document.data, places_of(file))
    findings = [found for found in checked.findings() if found.path[:1] == ("export",)]
    if any(map(is_error, findings)):
        raise CkptActionError(*place(findings, file, document.source))
    return python_path(checked.export, checked.places)


def _form_findings(data: dict[str, Any]) -> tuple[Finding, ...]:
    if fits(data, schema(), schema()):
        return ()
    from ckpt_action.config.forms import form_findings

    return form_findings(data)


class _Checked:
    """One document on its way; each stage looks only at tables that the stages before passed."""

    def __init__(self, data: dict[str, Any], places: Places) -> None:
        self.places = places
        self.tables = model_tables(data)
        self.models: dict[str, Model] = {}
        self._data = data
        self._form = _form_findings(data)

    @property
    def export(self) -> dict[str, Any]:
        return self._data.get("export", {})  # type: ignore[no-any-return]

    def findings(self) -> Iterator[Finding]:
        yield from self._form
        yield from names_findings(self.tables)
        export_is_right = self._has_form(("export",))
        if export_is_right:
            yield from export_findings(self.export, self.places)
        if self._has_form(("defaults",)):
            yield from defaults_findings(self._data.get("defaults", {}), self.tables)
        for table in self.tables:
            presence = list(presence_findings(table))
            yield from presence
            if not self._has_form(table.path) or not self._has_form(("defaults",)):
                continue
            rules = list(model_findings(table, self.places))
            yield from rules
            yield from file_findings(table, self.places)
            yield from golden_findings(table, self.places)
            if export_is_right:
                folders = python_path(self.export, self.places)
                yield from import_findings(table, folders, self.places)
            if not any(map(is_error, presence + rules)):
                self.models[table.name] = build_model(table, self.places)

    def checkpoint_findings(self) -> Iterator[Finding]:
        from ckpt_action.config.checkpoints import checkpoint_findings

        for table in self.tables:
            if model := self.models.get(table.name):
                yield from checkpoint_findings(table, model, self.places)

    def _has_form(self, path: KeyPath) -> bool:
        return not any(finding.path[: len(path)] == path for finding in self._form)
