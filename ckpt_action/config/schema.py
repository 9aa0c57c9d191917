"""The language of `model-export.toml` as a JSON schema (draft-07), from its description and the
registry of targets.

`python -m ckpt_action.config.schema` prints what `schema/model-export.schema.json` holds.
Besides standard keywords it has `x-expected`, the words for a value of the right form, which the
error messages use; `x-taplo` and `x-tombi-*` are for editors.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from ckpt_action.config.schema_model import model_table
from ckpt_action.config.schema_signature import DTYPE, input_table, signature_table
from ckpt_action.config.schema_targets import format_name, target_tables
from ckpt_action.config.schema_words import FILE_NAME, table, text, texts


@cache
def schema() -> dict[str, Any]:
    """The schema of the language with the formats of the registry; treat it as read-only."""
    tables = target_tables()
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "model-export.toml",
        "description": "Which TensorFlow checkpoints to export, how to rebuild their models, "
        "and in which formats to write them.",
        "x-tombi-toml-version": "v1.0.0",
        "x-taplo": {"initKeys": ["version", "models"]},
        **table(
            {
                "version": {
                    "description": "Version of this language.",
                    "type": "integer",
                    "const": 1,
                },
                "export": _export(),
                "defaults": {
                    "description": "Keys for every model; a model's own key replaces it.",
                    "allOf": [{"$ref": "#/definitions/model"}],
                },
                "models": {
                    "description": "The models to export, by name.",
                    "type": "object",
                    "minProperties": 1,
                    "propertyNames": FILE_NAME,
                    "additionalProperties": {"$ref": "#/definitions/model"},
                },
            },
            required=["version", "models"],
        ),
        "definitions": {
            "model": model_table(tables),
            "signature": signature_table(),
            "input": input_table(),
            "dtype": DTYPE,
            "format": format_name(),
            **tables,
        },
    }


def _export() -> dict[str, Any]:
    return table(
        {
            "output-dir": text(
                "Folder for artifacts and manifest, relative to this file. It cannot be hidden "
                "(uploads leave hidden files out) and lies in the repository. Default: `dist`.",
                default="dist",
            ),
            "python-path": texts(
                "Folders where Python looks for entry points, relative to this file. "
                "Default: this file's folder.",
                default=["."],
            ),
        },
        description="Where the export goes and where the code comes from.",
        examples={"output-dir": "out/models", "python-path": ["src"]},
    )


def schema_text() -> str:
    """The schema as it is committed."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
