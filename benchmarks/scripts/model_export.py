"""Keras' own `Model.export`: a SavedModel, nothing verified.

python model_export.py BUILDER ARGUMENTS CHECKPOINT FOLDER
"""

from __future__ import annotations

import json
import sys

import models
import tensorflow as tf

builder, arguments, checkpoint, folder = sys.argv[1:5]
model = getattr(models, builder)(**json.loads(arguments))
status = tf.train.Checkpoint(model=model).restore(checkpoint)
status.assert_existing_objects_matched().expect_partial()
model.export(f"{folder}/saved-model", verbose=False)
