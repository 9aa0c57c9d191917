"""Signatures in the JSON schema: inputs with dtypes and shapes, outputs, TF1 tensors."""

from __future__ import annotations

from ckpt_action.config.schema_words import Schema, table, text
from ckpt_action.config.vocabulary import DTYPES, IDENTIFIER, OUTPUT_NAME, TENSOR

DTYPE: Schema = {
    "description": "TensorFlow's name of the dtype.",
    "type": "string",
    "enum": list(DTYPES),
    "examples": ["int32"],
}
_EXPECTED_NAME = "a name of letters, digits and `_` that does not begin with a digit"
_EXPECTED_TENSOR = "a tensor of the graph, as `Placeholder:0`"


def signature_table() -> Schema:
    outputs = text(
        "", pattern=OUTPUT_NAME, expected="a name of letters, digits, `_`, `.`, `-` and `/`"
    )
    return table(
        {
            "method": text(
                "Attribute of what the entry point returned. Default: `__call__`.",
                pattern=IDENTIFIER,
                expected="the name of an attribute in Python",
                default="__call__",
            ),
            "inputs": {
                "description": "Inputs by name.",
                "type": "object",
                "minProperties": 1,
                "propertyNames": {
                    "pattern": IDENTIFIER,
                    "x-expected": _EXPECTED_NAME,
                },
                "additionalProperties": {"$ref": "#/definitions/input"},
            },
            "outputs": {
                "description": "Names in the order of the flattened outputs, or the keys where "
                "the model returns a dict; for a TF1 graph a table of names and tensors.",
                "x-expected": "an array of names, or a table of names and tensors",
                "anyOf": [
                    {"type": "array", "minItems": 1, "uniqueItems": True, "items": outputs},
                    {
                        "type": "object",
                        "minProperties": 1,
                        "propertyNames": {key: outputs[key] for key in ("pattern", "x-expected")},
                        "additionalProperties": text(
                            "Tensor of the TF1 graph.", pattern=TENSOR, expected=_EXPECTED_TENSOR
                        ),
                    },
                ],
            },
            "constants": {
                "description": "TF1 graphs only: tensors fed with a fixed value, which is baked "
                "in.",
                "type": "object",
                "propertyNames": {"pattern": TENSOR, "x-expected": _EXPECTED_TENSOR},
                "additionalProperties": {
                    "type": ["number", "boolean", "string", "array"],
                    "x-expected": "a number, a string, true, false, or an array of these",
                },
            },
        },
        required=["inputs"],
        examples={
            "method": "encode",
            "inputs": {"ids": {"dtype": "int32", "shape": ["batch", "time"]}},
            "outputs": ["logits"],
            "constants": {"keep_prob:0": 1.0},
        },
    )


def input_table() -> Schema:
    return table(
        {
            "dtype": {"$ref": "#/definitions/dtype"},
            "shape": {
                "description": 'Sizes, and names of free dimensions such as "batch"; the same '
                "name means the same size.",
                "type": "array",
                "items": {
                    "x-expected": 'a size, or the name of a free dimension such as "batch"',
                    "anyOf": [
                        {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
                        {
                            "type": "string",
                            "pattern": IDENTIFIER,
                            "x-expected": _EXPECTED_NAME,
                        },
                    ],
                },
            },
            "tensor": text(
                "TF1 graphs only: the tensor that is fed, as `Placeholder:0`.",
                pattern=TENSOR,
                expected=_EXPECTED_TENSOR,
            ),
        },
        required=["dtype", "shape"],
        examples={"shape": ["batch", 224, 224, 3], "tensor": "Placeholder:0"},
    )
