"""The signatures that a TF1 graph was saved with, where its writer added any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from ckpt_action.config.records import Dimension, InputSpec, OutputSpec, Signature
from ckpt_action.engine.names import legal_name
from ckpt_action.errors import ExitCode, Problem, note


def own_signatures(meta: Any) -> tuple[tuple[Signature, ...], tuple[Problem, ...]]:
    """(signatures, a note per signature) of `meta.signature_def`, sorted by name.

    Those with an input of unknown rank, with anything but plain tensors, or with names that differ
    in special characters only are left out: they have to be declared.
    """
    signatures, notes = [], []
    for name, definition in sorted(meta.signature_def.items()):
        infos = [*definition.inputs.values(), *definition.outputs.values()]
        plain = all(info.WhichOneof("encoding") == "name" for info in infos)
        ranked = not any(info.tensor_shape.unknown_rank for info in definition.inputs.values())
        if not definition.outputs or not plain or not ranked or name.startswith("__saved_model"):
            continue
        if any(
            len({*map(legal_name, side)}) < len(side)
            for side in (definition.inputs, definition.outputs)
        ):
            continue
        signature = Signature(
            name=name,
            inputs=tuple(_inputs(definition)),
            outputs=tuple(
                OutputSpec(name=legal_name(key), tensor=info.name)
                for key, info in sorted(definition.outputs.items())
            ),
        )
        signatures.append(signature)
        notes.append(_note(signature))
    return tuple(signatures), tuple(notes)


def _inputs(definition: Any) -> Iterator[InputSpec]:
    for key, info in sorted(definition.inputs.items()):
        name = legal_name(key)
        sizes = tf.TensorShape(info.tensor_shape).as_list()
        shape: list[Dimension] = [
            size if size is not None else "batch" if axis == 0 else f"{name}_{axis}"
            for axis, size in enumerate(sizes)
        ]
        dtype = tf.as_dtype(info.dtype).name
        yield InputSpec(name=name, dtype=dtype, shape=tuple(shape), tensor=info.name)


def _note(signature: Signature) -> Problem:
    named = [
        *((spec.name, spec.tensor) for spec in signature.inputs),
        *((spec.name, spec.tensor) for spec in signature.outputs),
    ]
    tensors = [f"{name} = {tensor}" for name, tensor in named]
    return note(
        ExitCode.SIGNATURE,
        f"signature {signature.name} is the one that the graph was saved with: "
        f"{', '.join(tensors)}.",
        hint="Declare `signatures` to export another.",
    )
