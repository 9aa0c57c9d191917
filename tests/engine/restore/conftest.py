"""Makes the helpers of this folder importable; TensorFlow's import-time warnings are its own."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tensorflow as tf  # noqa: F401

_KERAS_ARRAYS = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"


def pytest_collection_modifyitems(items):
    """Keras 3 itself, when it saves under numpy 2."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings(_KERAS_ARRAYS))
