"""From a traced model to the bytes of a `.tflite` file, through TensorFlow's converter.

The converter reads our SavedModel of raw variables. It loses every weight of one that holds Keras
3 objects, and every signature when it is given concrete functions. Of a function that is marked as
a Keras 2 LSTM it makes a fused op, which goes on from the state of the call before; ours is not.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.out_of_memory import out_of_memory
from ckpt_action.engine.records import TracedModel
from ckpt_action.engine.saved_model.write import write_saved_model
from ckpt_action.engine.tflite.near_zero import NEAR_ZERO, rewrite_near_zero
from ckpt_action.engine.tflite.refusals import refused
from ckpt_action.engine.tflite.softplus import rewrite_softplus

Quantize = Literal["none", "float16", "dynamic-range", "int8"]

Sample = tuple[str, Mapping[str, Array]]
"""A signature's name, and one call of it."""


def convert(
    model: TracedModel, quantize: Quantize, samples: tuple[Sample, ...], *, select_tf_ops: bool
) -> bytes:
    """Raises CkptActionError (TARGET) where TFLite cannot hold the model."""
    with tempfile.TemporaryDirectory(prefix="ckpt-action-") as scratch:
        saved = Path(scratch) / "saved_model"
        write_saved_model(model, saved)
        _spell_out(saved / "saved_model.pb", quantize)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            str(saved), signature_keys=[s.declared.name for s in model.signatures]
        )
        _configure(converter, quantize, samples, select_tf_ops=select_tf_ops)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the converter's, of TensorFlow's own future
                converted: bytes = converter.convert()
        except Exception as error:  # the converter raises ConverterError, ValueError, RuntimeError
            if out_of_memory(error):
                raise
            raise refused(error, model, select_tf_ops=select_tf_ops) from error
    return converted


def _spell_out(file: Path, quantize: Quantize) -> None:
    """Ops that the converter spells out, and not well; near zero eight bits tell nothing apart."""
    data = file.read_bytes()
    softplus = b"Softplus" in data
    near_zero = quantize != "int8" and any(op.encode() in data for op in NEAR_ZERO)
    if not (softplus or near_zero):
        return
    saved = saved_model_pb2.SavedModel.FromString(data)
    for graph in saved.meta_graphs:
        if softplus:
            graph.graph_def.CopyFrom(rewrite_softplus(graph.graph_def))
        if near_zero:
            graph.graph_def.CopyFrom(rewrite_near_zero(graph.graph_def))
    file.write_bytes(saved.SerializeToString(deterministic=True))


def _configure(
    converter: Any, quantize: Quantize, samples: tuple[Sample, ...], *, select_tf_ops: bool
) -> None:
    builtins = tf.lite.OpsSet.TFLITE_BUILTINS
    if quantize != "none":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if quantize == "int8":
        # Every op in integers, or none at all: a model that is half in floats is no int8 model.
        builtins = tf.lite.OpsSet.TFLITE_BUILTINS_INT8
        converter.representative_dataset = lambda: _calls(samples)
    converter.target_spec.supported_ops = [builtins]
    if select_tf_ops:
        converter.target_spec.supported_ops.append(tf.lite.OpsSet.SELECT_TF_OPS)


def _calls(samples: tuple[Sample, ...]) -> Iterator[tuple[str, dict[str, Array]]]:
    for signature, inputs in samples:
        yield signature, {name: np.asarray(value) for name, value in inputs.items()}
