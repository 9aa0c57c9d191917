"""What is different between two manifests, in the order in which a person would ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ckpt_action.manifest import Exported, Manifest
from ckpt_action.outcome import ArtifactOutcome, Change, SignatureRecord, VariableRecord
from ckpt_action.report import figures

_NAMED = 5
"""Names that one line lists; the manifests have all of them."""


def compare(old: Manifest, new: Manifest) -> tuple[Change, ...]:
    """Every difference, model by model; empty where both say the same."""
    before, after = ({job.name: job for job in manifest.jobs} for manifest in (old, new))
    found: list[Change] = []
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            found.append(Change(job=name, what="model", before="", after="new"))
        elif name not in after:
            found.append(Change(job=name, what="model", before="was here", after=""))
        else:
            found += _of_job(before[name], after[name])
    return tuple(found)


def _of_job(old: Exported, new: Exported) -> Iterator[Change]:
    pairs = {
        "checkpoint": (_checkpoint(old), _checkpoint(new)),
        "entry point": (old.entry_point, new.entry_point),
        "restored": (figures.binding_text(old), figures.binding_text(new)),
        **{what: (_allowed(old, what), _allowed(new, what)) for what in _allowances(old, new)},
        "golden file": (_short(old.golden), _short(new.golden)),
        "tolerance rtol": (_number(old.rtol), _number(new.rtol)),
        "tolerance atol": (_number(old.atol), _number(new.atol)),
        "failed targets": (", ".join(old.failed_targets), ", ".join(new.failed_targets)),
        **_texts("signature", _signatures(old), _signatures(new)),
        **_texts("target", _artifacts(old), _artifacts(new)),
        **_texts("made with", old.versions, new.versions),
        "ckpt-action": (old.tool, new.tool),
    }
    yield from (
        Change(job=new.name, what=what, before=before, after=after)
        for what, (before, after) in pairs.items()
        if before != after
    )
    yield from _sets(new.name, "variables", _variables(old), _variables(new))
    yield from _sets(new.name, "files read", _sources(old), _sources(new))
    if old.config_digest != new.config_digest:
        yield Change(job=new.name, what="configuration", before="", after="changed")


def _sets(
    job: str, what: str, old: Mapping[str, object], new: Mapping[str, object]
) -> Iterator[Change]:
    """What went, what came, and what has the same name and is different."""
    if gone := _names(old.keys() - new.keys()):
        yield Change(job=job, what=what, before=gone, after="")
    if came := _names(new.keys() - old.keys()):
        yield Change(job=job, what=what, before="", after=came)
    both = old.keys() & new.keys()
    if different := [name for name in both if old[name] != new[name]]:
        text = f"{len(different)} of {len(both)} differ: {_names(different)}"
        yield Change(job=job, what=what, before="", after=text)


def _names(names: Iterable[str]) -> str:
    known = sorted(names)
    more = f" and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
    return ", ".join(known[:_NAMED]) + more


def _texts(what: str, old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    names = sorted(old.keys() | new.keys())
    return {f"{what} {name}": (old.get(name, ""), new.get(name, "")) for name in names}


def _checkpoint(job: Exported) -> str:
    step = "" if job.checkpoint.step is None else f", step {job.checkpoint.step}"
    return f"{job.checkpoint.path}{step}, sha256 {figures.short(job.checkpoint.sha256)}"


def _allowances(*jobs: Exported) -> list[str]:
    return sorted({what for job in jobs for what, _ in figures.allowances(job)})


def _allowed(job: Exported, what: str) -> str:
    return ", ".join(dict(figures.allowances(job)).get(what, ()))


def _short(record: object) -> str:
    sha256 = getattr(record, "sha256", "")
    return f"{getattr(record, 'path', '')}, sha256 {figures.short(sha256)}" if sha256 else ""


def _number(value: float | None) -> str:
    return "default" if value is None else f"{value:g}"


def _signatures(job: Exported) -> dict[str, str]:
    first: dict[str, str] = {}
    for artifact in job.artifacts:
        for signature in artifact.signatures:
            first.setdefault(signature.name, _signature(signature))
    return first


def _signature(signature: SignatureRecord) -> str:
    sides = (
        ", ".join(f"{t.name} {t.dtype} {figures.shape_text(t.shape)}" for t in tensors)
        for tensors in (signature.inputs, signature.outputs)
    )
    return " → ".join(sides)


def _artifacts(job: Exported) -> dict[str, str]:
    return {artifact.name: _artifact(artifact) for artifact in job.artifacts}


def _artifact(artifact: ArtifactOutcome) -> str:
    size = figures.human_bytes(artifact.bytes)
    return f"{artifact.format}, {size}, {figures.short(figures.artifact_digest(artifact))}"


def _variables(job: Exported) -> dict[str, VariableRecord]:
    return {variable.path: variable for variable in job.variables}


def _sources(job: Exported) -> dict[str, str]:
    return {file.path: file.sha256 for file in job.sources}
