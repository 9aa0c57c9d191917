"""What the freezer needs that TensorFlow does not promise to keep: Grappler.

The same in TensorFlow 2.15 to 2.21. Where a version misses it, `Unavailable` lets the caller
take TensorFlow's own freezer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tensorflow.core.protobuf import config_pb2, meta_graph_pb2


class Unavailable(Exception):  # noqa: N818 - not an error: the caller has another way
    """This TensorFlow has no such entry point, or one that is called otherwise."""


def inline_calls(graph: Any, keep: Iterable[str]) -> Any:
    """`graph` with function calls replaced by the nodes of the functions, by Grappler.

    `keep` names the nodes that must stay what they are.
    """
    try:
        from tensorflow.python.grappler import tf_optimizer

        optimize = tf_optimizer.OptimizeGraph
    except (ImportError, AttributeError) as error:
        raise Unavailable(str(error)) from error
    meta = meta_graph_pb2.MetaGraphDef(graph_def=graph)
    meta.collection_def["train_op"].node_list.value.extend(keep)
    config = config_pb2.ConfigProto()
    rewrite = config.graph_options.rewrite_options
    rewrite.min_graph_nodes = -1  # small graphs too
    rewrite.optimizers.append("function")
    try:
        return optimize(config, meta, verbose=False)
    except TypeError as error:
        raise Unavailable(str(error)) from error
