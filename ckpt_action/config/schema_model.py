"""The tables of one model in the JSON schema: every key with its form and its description."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ckpt_action.config.schema_words import Schema, choice, flag, table, text, texts
from ckpt_action.config.vocabulary import ENTRY_POINT, IDENTIFIER, MODULE, SIGNATURE_NAME

_EXAMPLES = {
    "entry-point": "captioner.build:decoder",
    "arguments": {"vocabulary": 5000},
    "import": ["captioner.layers"],
    "op-libraries": ["build/zero_out.so"],
    "keras": "2",
    "checkpoints": ["runs/*/tf_ckpts"],
    "select": 1200,
    "targets": ["saved-model", "frozen-graph"],
    "safe-mode": False,
    "lazy-init": False,
    "timeout": 600,
}


def model_table(target_tables: Iterable[str]) -> Schema:
    """One `[models.<name>]` table. `checkpoints` and `targets` may come from `[defaults]`.

    `target_tables` are the names of the definitions that describe a target's table.
    """
    return {
        **table({**_source_keys(), **_form_keys(target_tables), **_run_keys()}, examples=_EXAMPLES),
        "x-taplo": {"initKeys": ["entry-point", "checkpoints", "targets"]},
    }


def _source_keys() -> dict[str, Schema]:
    return {
        "entry-point": text(
            "`module:callable` that returns the model without its weights: a Keras model, a "
            "tf.Module, or a callable with variables. Left out where the checkpoint holds the "
            "architecture (`.keras`, whole-model `.h5`, TF1 `.meta`).",
            pattern=ENTRY_POINT,
            expected="a module and a callable in it, as `package.module:build`",
        ),
        "arguments": {
            "description": "Keyword arguments of the entry point.",
            "type": "object",
            "additionalProperties": True,
            "propertyNames": {
                "pattern": IDENTIFIER,
                "x-expected": "the name of a keyword argument in Python",
            },
        },
        "import": texts(
            "Modules that register custom objects, imported before the entry point.",
            pattern=MODULE,
            expected="a module, as `package.module`",
        ),
        "op-libraries": texts(
            "Shared libraries with custom ops, loaded before rebuilding and before verifying."
        ),
        "keras": choice(
            "Which Keras rebuilds the model. `auto` reads from the checkpoint which one wrote it.",
            ("auto", "3", "2"),
            default="auto",
        ),
        "checkpoints": texts(
            "Globs relative to this file, each for a prefix, a file or a directory. Required, "
            "here or in `[defaults]`.",
            at_least=1,
        ),
        "select": {
            "description": "Which of the checkpoints found: the latest, all, or that of one step.",
            "default": "latest",
            "x-expected": '"latest", "all" or the number of a step',
            "anyOf": [
                {"type": "string", "enum": ["latest", "all"]},
                {"type": "integer", "minimum": 0},
            ],
        },
        "restore": _restore_table(),
    }


def _form_keys(target_tables: Iterable[str]) -> dict[str, Schema]:
    return {
        "signatures": {
            "description": "Callable surfaces of the exported model, by name. A functional or "
            "sequential Keras model may leave them out: `serving_default` is derived from it.",
            "type": "object",
            "minProperties": 1,
            "propertyNames": {
                "pattern": SIGNATURE_NAME,
                "x-expected": "a name of letters, digits and `_` that begins with a letter",
            },
            "additionalProperties": {"$ref": "#/definitions/signature"},
        },
        "targets": {
            "description": "What to write: formats, or tables with `format` and its options. "
            "Required, here or in `[defaults]`.",
            "type": "array",
            "minItems": 1,
            "items": {
                "x-expected": "a format, or a table with `format`",
                "anyOf": [{"$ref": f"#/definitions/{name}"} for name in ("format", *target_tables)],
            },
        },
    }


def _run_keys() -> dict[str, Schema]:
    return {
        "verify": _verify_table(),
        "safe-mode": flag(
            "`false` lets a `.keras` file bring Python code of its own (Lambda layers).",
            default=True,
        ),
        "lazy-init": flag(
            "`false` runs random initialisers although the checkpoint replaces their values.",
            default=True,
        ),
        "timeout": {
            "description": "Seconds that exporting, and verifying, this model may take.",
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 604800,
            "default": 1800,
        },
    }


def _restore_table() -> Schema:
    return table(
        {
            "root": text(
                "Attribute of `tf.train.Checkpoint` that holds this model, as `decoder` or "
                "`gan.generator`. Found when left out.",
                pattern="^[^.\\s]+([.][^.\\s]+)*$",
                expected="names joined by dots, as `decoder`",
            ),
            "weights": choice(
                "`ema`: the moving averages that the optimizer kept, instead of the raw weights.",
                ("raw", "ema"),
                default="raw",
            ),
            "allow-missing": texts(
                "Patterns of model variables that may keep their initial value; the report lists "
                "them.",
                default=(),
            ),
            "allow-unused": texts(
                "Patterns of checkpoint values that may stay unused; optimizer state and counters "
                "always may.",
                default=(),
            ),
        },
        description="How the values of the checkpoint find the variables of the model.",
        examples={
            "root": "gan.generator",
            "weights": "ema",
            "allow-missing": ["head/*"],
            "allow-unused": ["decoder/*"],
        },
    )


def _verify_table() -> Schema:
    def tolerance(of: str, **limits: Any) -> Schema:
        return {
            "description": f"{of} tolerance of float outputs. Default: by dtype.",
            "type": "number",
            "minimum": 0,
            **limits,
        }

    return table(
        {
            "golden": text(
                "`.npz` file with `in_<input>` and `out_<output>` arrays recorded at training "
                "time; the rebuilt model and every artifact are checked against it."
            ),
            "samples": {
                "description": (
                    "Number of seeded probe batches where there is no golden file; beside one, 2 "
                    "at most."
                ),
                "type": "integer",
                "minimum": 1,
                "maximum": 1000,
                "default": 4,
            },
            "seed": {
                "description": "Seed of the probe batches.",
                "type": "integer",
                "minimum": 0,
                "maximum": 2**32 - 1,
                "default": 0,
            },
            "rtol": tolerance("Relative", exclusiveMaximum=1),
            "atol": tolerance("Absolute"),
        },
        description="How the rebuilt model and each artifact are proven.",
        examples={
            "golden": "golden/captioner.npz",
            "samples": 8,
            "seed": 7,
            "rtol": 1e-3,
            "atol": 1e-4,
        },
    )
