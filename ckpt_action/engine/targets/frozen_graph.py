"""One GraphDef file with the weights as constants, and its inputs and outputs in JSON."""

from __future__ import annotations

from collections.abc import Mapping

FORMAT = "frozen-graph"
SUMMARY = "Frozen GraphDef `.pb` with `.io.json`, for OpenCV, Java, C++ and embedded runtimes"
EXTRA = "tensorflow"
OPTIONS: Mapping[str, Mapping[str, object]] = {}
