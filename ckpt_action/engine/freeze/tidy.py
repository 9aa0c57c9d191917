"""What tracing leaves on nodes and no reader needs: some of it differs from process to process."""

from __future__ import annotations

from typing import Any

_TRACES = (
    "_class",  # colocation with variables that are gone
    "_gradient_op_type",
    "_has_manual_control_dependencies",
    "_output_shapes",
    "_read_only_resource_inputs",
    "_user_specified_name",
)


def tidy(graph: Any) -> None:
    """Clean all nodes in place, those of functions too. Devices go: the reader has its own."""
    for nodes in [graph.node, *(f.node_def for f in graph.library.function)]:
        for node in nodes:
            node.ClearField("device")
            node.ClearField("experimental_debug_info")
            node.ClearField("experimental_type")
            for key in _TRACES:
                if key in node.attr:
                    del node.attr[key]
            if "config_proto" in node.attr:
                node.attr["config_proto"].s = b""
    graph.library.ClearField("gradient")
