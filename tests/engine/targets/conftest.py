"""TensorFlow is told to be quiet before a test module imports it."""

from __future__ import annotations

import os
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what TensorFlow itself warns of while it is imported
    import tensorflow as tf

tf.get_logger().setLevel("ERROR")
