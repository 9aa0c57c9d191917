"""The `onnx` target: one file per signature, checked whole before the first byte is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import onnx

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.freeze import freeze
from ckpt_action.engine.max_error import ROUNDING, max_error
from ckpt_action.engine.onnx_graph.artifact import SIGNATURE, constants, value_of
from ckpt_action.engine.onnx_graph.canonical import canonical
from ckpt_action.engine.onnx_graph.convert import convert
from ckpt_action.engine.onnx_graph.differing import refuse_differing
from ckpt_action.engine.onnx_graph.floor_division import rewrite_floor_division
from ckpt_action.engine.onnx_graph.scatter import rewrite_scatter
from ckpt_action.engine.prepare import prepare
from ckpt_action.engine.prepare.batch_norm import fold_batch_norm
from ckpt_action.engine.prepare.constants import fold_constants
from ckpt_action.engine.prepare.erfc import rewrite_erfc
from ckpt_action.engine.prepare.nearest import rewrite_nearest
from ckpt_action.engine.prepare.one_hot import rewrite_one_hot
from ckpt_action.engine.records import TracedModel, Written
from ckpt_action.engine.stored_weights import held_values, path_finder
from ckpt_action.errors import CkptActionError, ExitCode, fail, first_line
from ckpt_action.outcome import SignatureRecord, TensorRecord

_PASSES = (
    rewrite_nearest,
    rewrite_one_hot,
    rewrite_scatter,
    fold_constants,
    fold_batch_norm,
    rewrite_erfc,
    rewrite_floor_division,
)


def write_onnx(model: TracedModel, folder: Path, options: Mapping[str, object]) -> Written:
    """Raises CkptActionError (TARGET) where ONNX cannot hold the model."""
    _refuse_names(model)
    frozen = freeze(model)
    prepared = prepare(frozen, _PASSES)
    refuse_differing(prepared.graph)
    path = path_finder(model.variables)
    files = {
        _file_name(model, s): _model(convert(prepared.graph, s), s, model.name, path)
        for s in frozen.signatures
    }
    stored = (found for name, made in files.items() for found in constants(name, made))
    held = held_values([v for v in model.variables if v.path not in frozen.unread], stored)
    for name, made in files.items():
        (folder / name).write_bytes(made.SerializeToString(deterministic=True))
    return Written(
        signatures=tuple(_declared(s) for s in frozen.signatures),
        payloads=held.payloads,
        rearranged=held.rearranged,
        transformed=held.transformed,
        unread=frozen.unread,
        max_error=max_error(options),
        rounding=ROUNDING,
        notes=frozen.notes,
    )


def _file_name(model: TracedModel, signature: SignatureRecord) -> str:
    several = len(model.signatures) > 1
    return f"{model.name}.{signature.name}.onnx" if several else f"{model.name}.onnx"


def _model(
    converted: Any,
    signature: SignatureRecord,
    title: str,
    path: Callable[[Array], str | None],
) -> Any:
    names = {str(t.tensor): t.name for t in (*signature.inputs, *signature.outputs)}
    made = canonical(
        converted,
        names,
        lambda tensor: path(value_of(tensor)),
        title,
    )
    _name_dimensions(made.graph.input, signature.inputs)
    _name_dimensions(made.graph.output, signature.outputs)
    made.metadata_props.add(key=SIGNATURE, value=signature.name)
    try:
        onnx.checker.check_model(made, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise _invalid(signature, error) from error
    return made


def _name_dimensions(values: Any, records: tuple[TensorRecord, ...]) -> None:
    """The declared names of free dimensions in place of the converter's."""
    shapes = {t.name: t.shape for t in records}
    for value in values:
        shape = shapes[value.name]
        if shape is None:
            continue
        del value.type.tensor_type.shape.dim[:]
        for size in shape:
            dimension = value.type.tensor_type.shape.dim.add()
            if isinstance(size, int):
                dimension.dim_value = size
            elif size is not None:
                dimension.dim_param = size


def _declared(signature: SignatureRecord) -> SignatureRecord:
    """In ONNX a tensor's name is the declared one."""
    return SignatureRecord(
        name=signature.name,
        inputs=tuple(
            TensorRecord(name=t.name, dtype=t.dtype, shape=t.shape, tensor=t.name)
            for t in signature.inputs
        ),
        outputs=tuple(
            TensorRecord(name=t.name, dtype=t.dtype, shape=t.shape, tensor=t.name)
            for t in signature.outputs
        ),
    )


def _refuse_names(model: TracedModel) -> None:
    for signature in model.signatures:
        inputs = {t.name for t in signature.record.inputs}
        for tensor in signature.record.outputs:
            if tensor.name in inputs:
                raise fail(
                    ExitCode.TARGET,
                    f"Signature {signature.declared.name!r} has an input and an output that are "
                    f"both named {tensor.name!r}; in ONNX they would be one value.",
                    hint="Give the output another name in the signature's `outputs`.",
                )


def _invalid(signature: SignatureRecord, error: Exception) -> CkptActionError:
    return fail(
        ExitCode.TARGET,
        f"What tf2onnx made of signature {signature.name!r} is no valid ONNX: {first_line(error)}",
        hint="Export the model as `saved-model`, `frozen-graph` or `tflite`.",
        details=str(error).splitlines(),
    )
