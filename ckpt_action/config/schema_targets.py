"""Targets in the JSON schema: one closed table per format of the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ckpt_action.config.schema_words import FILE_NAME, Schema, table, text
from ckpt_action.config.vocabulary import SIZE

if TYPE_CHECKING:
    from ckpt_action.engine.records import Target


def format_name(targets: Mapping[str, Target]) -> Schema:
    return {
        "description": "; ".join(f"`{name}`: {t.SUMMARY}" for name, t in targets.items()),
        "type": "string",
        "enum": list(targets),
    }


def target_tables(targets: Mapping[str, Target]) -> dict[str, Schema]:
    """Definition name to the closed table of one format, with the options its module declares."""
    return {
        f"target-{name}": table(
            {
                "format": {"description": target.SUMMARY, "type": "string", "const": name},
                "name": {
                    **text("Folder and asset name. Default: the format."),
                    **FILE_NAME,
                },
                "max-size": text(
                    "A gate: an artifact that is larger fails. As `20 MB` or `1.5 GiB`.",
                    pattern=SIZE,
                    expected="a size with its unit, as `20 MB`",
                ),
                **_options(target),
            },
            required=["format"],
        )
        for name, target in targets.items()
    }


def _options(target: Target) -> dict[str, Schema]:
    return {name: dict(option) for name, option in target.OPTIONS.items()}
