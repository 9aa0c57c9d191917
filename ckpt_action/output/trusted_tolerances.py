"""Tolerances that only the manifest of a folder asks for.

The folder may be anybody's. Tolerances looser than the defaults count only where the person's own
configuration, which lies outside of the folder, declares them too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ckpt_action.config.load import load_config
from ckpt_action.config.records import Model, TargetSpec
from ckpt_action.errors import ExitCode, Problem, warning
from ckpt_action.manifest import NAME, Exported
from ckpt_action.outcome import ArtifactOutcome
from ckpt_action.safe_paths import is_inside, plain_path
from ckpt_action.verify import tolerances

ROUNDING = 1e-4
"""What another runtime may add, where nobody says anything."""
QUANTISED = 0.1
"""The most that any format takes for values in fewer bits, where nobody says anything."""


def own_model(job: Exported, bases: Iterable[Path], folder: Path) -> Model | None:
    """What the first configuration in `bases` that has the model declares of it; not one inside
    `folder`. That of the working directory may be about other models."""
    if not plain_path(job.config):
        return None
    files = (base / job.config for base in bases)
    configs = (load_config(f).config for f in files if f.is_file() and not is_inside(f, folder))
    declared = (model for config in configs if config for model in config.models)
    return next((model for model in declared if model.name == job.model), None)


def loosened(job: Exported, artifact: ArtifactOutcome, own: Model | None) -> tuple[str, ...]:
    """Each tolerance of the manifest that neither the defaults nor `own` go as far as, in words."""
    asked = {"rtol": job.rtol, "atol": job.atol, "max-error": artifact.max_error}
    most = dict(
        zip(("rtol", "atol"), tolerances("float32", "golden", rtol=None, atol=None), strict=True)
    )
    if own:
        declared = {"rtol": own.verify.rtol, "atol": own.verify.atol}
        most |= {name: max(most[name], value or 0.0) for name, value in declared.items()}
    target = next((t for t in own.targets if t.name == artifact.name), None) if own else None
    most["max-error"] = _max_error(target)
    # NaN is no tolerance at all, and fails every comparison.
    return tuple(
        f"{name} {value:g}"
        for name, value in asked.items()
        if value is not None and not value <= most[name]
    )


def _max_error(target: TargetSpec | None) -> float:
    options = target.options if target else {}
    declared = options.get("max-error")
    if isinstance(declared, (int, float)):
        return max(ROUNDING, declared)
    return ROUNDING if options.get("quantize", "none") == "none" else QUANTISED


def warnings(job: Exported, own: Model | None) -> Iterator[Problem]:
    """One for each tolerance that is not taken for proof."""
    found = [words for artifact in job.artifacts for words in loosened(job, artifact, own)]
    for words in dict.fromkeys(found):
        yield warning(
            ExitCode.VERIFY,
            f"{job.name} is compared with {words}, as {NAME} says and no configuration at "
            "hand does: that proves nothing.",
            hint="Give --base with the folder of the configuration that declares this tolerance, "
            "or the quantised target that it is the default of, or ask whoever exported it for the "
            "reason.",
        )
