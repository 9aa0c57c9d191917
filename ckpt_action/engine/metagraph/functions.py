"""Functions that a TF1 graph brings along: bodies of loops and conditions of control flow v2."""

from __future__ import annotations

import importlib
from typing import Any

import tensorflow as tf

from ckpt_action.errors import ExitCode, fail


def register_functions(graph: Any) -> None:
    """Make the functions of `graph` known where traced functions are run.

    Importing the graph into a function makes them known there only. Functions that are known
    already, of another signature of the same graph, stay. Raises ENVIRONMENT where TensorFlow has
    no such call.
    """
    if not graph.library.function:
        return
    try:
        module = importlib.import_module("tensorflow.python.eager.context")
        context = module.context()
        known, add = context.has_function, context.add_function_def
    except (ImportError, AttributeError):
        raise fail(
            ExitCode.ENVIRONMENT,
            f"TensorFlow {tf.__version__} cannot be told the functions of a graph of TensorFlow 1.",
            hint='Install a supported version: pip install "ckpt-action[tensorflow]"',
        ) from None
    for function in graph.library.function:
        if not known(function.signature.name):
            add(function)
