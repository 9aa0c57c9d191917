"""`TimeDistributed` over a free length, which some Keras 3 computes wrongly in graphs, silently.

Keras 3.15 counts the steps by the batch's size where the length is not known when it is traced.
Eagerly it is right, so nothing but a golden file would notice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from ckpt_action.engine.keras_versions import loaded_keras
from ckpt_action.errors import ExitCode, fail


@contextmanager
def no_wrong_steps() -> Iterator[None]:
    """Calls inside raise SIGNATURE where the installed Keras would get the steps wrong."""
    keras = loaded_keras(3)
    if keras is None:
        yield
        return
    layer = keras.layers.TimeDistributed
    original = layer.call

    def call(self: Any, inputs: Any, *arguments: Any, **options: Any) -> Any:
        free = not tf.executing_eagerly() and tf.is_tensor(inputs) and inputs.shape[1] is None
        result = original(self, inputs, *arguments, **options)
        if free and _is_wrong(keras, original):
            error = fail(
                ExitCode.SIGNATURE,
                f"the layer {self.name} (TimeDistributed) gets a free number of steps, which Keras "
                f"{keras.__version__} computes wrongly in graphs: it takes the batch's size.",
                hint="Declare a fixed size for that dimension, or call the inner layer itself "
                "where it works on every step alike, as Dense does.",
            )
            error._keras_call_info_injected = True  # type: ignore[attr-defined]  # noqa: SLF001
            raise error
        return result

    layer.call = call
    try:
        yield
    finally:
        layer.call = original


def _is_wrong(keras: Any, call: Any) -> bool:
    """Whether one batch of two steps comes out as anything else, by the original `call`."""
    with tf.init_scope():
        layer = keras.layers.TimeDistributed(keras.layers.Identity())
        layer.build((None, None, 1))
        spec = tf.TensorSpec((None, None, 1), tf.float32)
        steps = tf.function(lambda x: call(layer, x), input_signature=[spec])(tf.zeros((1, 2, 1)))
    return tuple(steps.shape) != (1, 2, 1)
