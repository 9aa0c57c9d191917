"""The saved object twice: with functions for `tf.saved_model.load`, with keys for the checkpoint.

A root with the variables below `model`, and the signatures. Source:
tensorflow/core/protobuf/{saved_object_graph,trackable_object_graph}.proto.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tensorflow.core.protobuf import saved_object_graph_pb2, trackable_object_graph_pb2

from ckpt_action.engine.saved_model.content import (
    Bound,
    Call,
    Constant,
    Content,
    StoredVariable,
)
from ckpt_action.engine.saved_model.saved_function import concrete_function, saved_function
from ckpt_action.engine.saved_model.tree import ROOT, VALUE


class ObjectGraph:
    """`names` has the nodes that variables and constants have in the graph."""

    def __init__(self, content: Content, names: Mapping[Bound, str]) -> None:
        self.saved = saved_object_graph_pb2.SavedObjectGraph()
        self.tracked = trackable_object_graph_pb2.TrackableObjectGraph()
        self._names = names
        self._ids: dict[Bound, int] = {}
        root = self._user_object("_generic_user_object")
        self._folders: dict[tuple[str, ...], int] = {
            (): self._user_object("trackable_dict_wrapper")
        }
        self._attach(root, self._folders[()], ROOT)
        for stored in content.variables:
            self._add_variable(stored)
        for constant in content.constants:
            self._ids[constant] = self._add(
                constant=saved_object_graph_pb2.SavedConstant(operation=names[constant]),
                registered_name="tf.TrackableConstant",
            )
        signatures = self._user_object("signature_map")
        self._attach(root, signatures, "signatures")
        for call in content.calls:
            self._attach(signatures, self._add_call(call), call.signature)
        self._mark_values(root)

    def _add(self, **kind: Any) -> int:
        self.saved.nodes.append(saved_object_graph_pb2.SavedObject(**kind))
        self.tracked.nodes.add()
        return len(self.saved.nodes) - 1

    def _user_object(self, identifier: str) -> int:
        made = saved_object_graph_pb2.SavedUserObject(identifier=identifier)
        made.version.producer = made.version.min_consumer = 1
        return self._add(user_object=made)

    def _attach(self, parent: int, child: int, name: str) -> None:
        for nodes in (self.saved.nodes, self.tracked.nodes):
            nodes[parent].children.add(node_id=child, local_name=name)

    def _add_variable(self, stored: StoredVariable) -> None:
        variable, name = stored.variable, self._names[stored]
        node = self._add(
            variable=saved_object_graph_pb2.SavedVariable(
                dtype=variable.dtype.as_datatype_enum,
                shape=variable.shape.as_proto(),
                trainable=variable.trainable,
                synchronization=variable.synchronization.value,
                aggregation=variable.aggregation.value,
                name=name,
            )
        )
        self.tracked.nodes[node].attributes.add(
            name=VALUE, full_name=name, checkpoint_key=stored.key
        )
        self._ids[stored] = node
        self._attach(self._folder(stored.place[:-1]), node, stored.place[-1])

    def _folder(self, place: tuple[str, ...]) -> int:
        if place not in self._folders:
            self._folders[place] = self._user_object("trackable_dict_wrapper")
            self._attach(self._folder(place[:-1]), self._folders[place], place[-1])
        return self._folders[place]

    def _add_call(self, call: Call) -> int:
        node = self._add(bare_concrete_function=saved_function(call))
        for index, bound in enumerate(call.bound):
            if isinstance(bound, Constant):
                self._attach(node, self._ids[bound], f"capture_{index}")
        # A function is made after what it captures.
        self.saved.nodes[node].dependencies.extend(self.saved.nodes[node].children)
        function = concrete_function(call, self._ids)
        self.saved.concrete_functions[call.function].CopyFrom(function)
        return node

    def _mark_values(self, number: int) -> bool:
        """Say of each object in the checkpoint whether it or one below has a value."""
        node = self.tracked.nodes[number]
        below = [self._mark_values(child.node_id) for child in node.children]
        node.has_checkpoint_values.value = bool(node.attributes) or any(below)
        return bool(node.has_checkpoint_values.value)
