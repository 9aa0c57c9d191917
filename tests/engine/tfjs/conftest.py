"""Makes the model cases of the targets' tests importable, and imports TensorFlow quietly."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "targets"))

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tensorflow as tf

tf.get_logger().setLevel("ERROR")
