"""TensorFlow's own freezer, for a TensorFlow that lacks what ours builds on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from ckpt_action.engine.freeze.graph import MAIN
from ckpt_action.engine.freeze.handles import HandleFlow
from ckpt_action.engine.freeze.size import refuse_size, size_of_values
from ckpt_action.errors import ExitCode, Problem, fail, note

NOTE = note(
    ExitCode.OK,
    f"TensorFlow {tf.__version__} lacks an entry point that the streaming freezer uses; "
    "TensorFlow's own freezer wrote this graph, with several times the memory.",
)


def refuse_what_it_breaks(flow: HandleFlow) -> Iterable[Problem]:
    """Gathers inside loops and branches: the stock freezer writes a graph that fails to run."""
    for use in flow.uses():
        if use.body != MAIN and use.node.op in ("ResourceGather", "ResourceGatherNd"):
            yield Problem(
                code=ExitCode.TARGET,
                message=(
                    f"This model cannot be frozen by TensorFlow {tf.__version__}: "
                    f"{use.node.op} {use.node.name!r} lies inside a loop, branch or call."
                ),
                hint="Use TensorFlow 2.15 to 2.21, or export this model as `saved-model`.",
            )


def frozen(function: Any, *, lower_control_flow: bool) -> Any:
    """GraphDef in which captured variables are Const nodes of the same names.

    Raises CkptActionError (TARGET), for a graph that is too large before it takes several times
    that memory.
    """
    refuse_size(size_of_values(function.variables))
    try:
        from tensorflow.python.framework.convert_to_constants import (
            convert_variables_to_constants_v2,
        )

        made = convert_variables_to_constants_v2(function, lower_control_flow=lower_control_flow)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise fail(
            ExitCode.TARGET,
            f"TensorFlow {tf.__version__} cannot freeze this model: {error}",
            hint="Use TensorFlow 2.15 to 2.21, or export this model as `saved-model`.",
        ) from error
    return made.graph.as_graph_def()
