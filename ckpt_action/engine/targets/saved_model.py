"""A SavedModel directory with one or more signatures."""

from __future__ import annotations

from collections.abc import Mapping

FORMAT = "saved-model"
SUMMARY = "SavedModel directory for TensorFlow Serving, Python, C++, Java, Go"
EXTRA = "tensorflow"
OPTIONS: Mapping[str, Mapping[str, object]] = {}
