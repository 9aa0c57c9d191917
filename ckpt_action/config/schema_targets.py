"""Targets in the JSON schema: one closed table per format of the registry."""

from __future__ import annotations

from ckpt_action.config.schema_words import FILE_NAME, Schema, table, text
from ckpt_action.config.vocabulary import DURATION, SIZE
from ckpt_action.engine.targets import registry


def format_name() -> Schema:
    """A target given by its format alone."""
    targets = registry()
    return {
        "description": "; ".join(f"`{name}`: {t.SUMMARY}" for name, t in targets.items()),
        "type": "string",
        "enum": list(targets),
    }


def target_tables() -> dict[str, Schema]:
    """Definition name to the closed table of one format, with the options its module declares."""
    return {
        f"target-{name}": table(
            {
                "format": {"description": target.SUMMARY, "type": "string", "const": name},
                **common_keys(),
                **{option: dict(form) for option, form in target.OPTIONS.items()},
            },
            required=["format"],
            examples={
                "name": "web",
                "max-size": "20 MB",
                "max-gzip-size": "8 MB",
                "max-latency": "20 ms",
                "min-agreement": 0.98,
            },
        )
        for name, target in registry().items()
    }


def common_keys() -> dict[str, Schema]:
    """The keys that a target of any format may have."""
    return {
        "name": {**text("Folder and asset name. Default: the format."), **FILE_NAME},
        "max-size": text(
            "A gate: an artifact that is larger fails. As `20 MB` or `1.5 GiB`.",
            pattern=SIZE,
            expected="a size with its unit, as `20 MB`",
        ),
        "max-gzip-size": text(
            "A gate: an artifact whose files are larger when compressed by gzip fails.",
            pattern=SIZE,
            expected="a size with its unit, as `20 MB`",
        ),
        "max-latency": text(
            "A gate: fails where one call takes longer, as the median of 50 calls on the smallest "
            "probe, in the runtime that proves the format.",
            pattern=DURATION,
            expected="a duration with its unit, as `20 ms`",
        ),
        "min-agreement": {
            "description": (
                "A gate for classifiers: the smallest share of rows in which artifact and model "
                "have to choose the same class."
            ),
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 1,
        },
    }
