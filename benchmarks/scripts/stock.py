"""What people write by hand, with its usual mistakes corrected: stock calls, nothing verified.

python stock.py BUILDER ARGUMENTS CHECKPOINT FOLDER [--saved-model-only]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import models
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

builder, arguments, checkpoint, folder = sys.argv[1:5]
model = getattr(models, builder)(**json.loads(arguments))
status = tf.train.Checkpoint(model=model).restore(checkpoint)
status.assert_existing_objects_matched().expect_partial()
given = model.inputs[0]


@tf.function(input_signature=[tf.TensorSpec(given.shape, given.dtype, "inputs")])
def serve(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
    return {"outputs": model(inputs, training=False)}


tf.saved_model.save(model, f"{folder}/saved-model", signatures={"serving_default": serve})
if "--saved-model-only" not in sys.argv:
    frozen = convert_variables_to_constants_v2(serve.get_concrete_function())
    graph = frozen.graph.as_graph_def()
    Path(folder, "model.pb").write_bytes(graph.SerializeToString())
