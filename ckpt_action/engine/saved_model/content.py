"""What a SavedModel holds, told from the traced model before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from ckpt_action.engine.freeze.interface import function_interface
from ckpt_action.engine.records import TracedModel, TracedSignature
from ckpt_action.engine.saved_model.internals import Indirect, Internals
from ckpt_action.engine.saved_model.tree import Tree, checkpoint_key, leaves


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredVariable:
    variable: Any
    place: tuple[str, ...]
    """The attributes of the saved object that lead to it."""

    @property
    def key(self) -> str:
        """Of its value in `variables/`."""
        return checkpoint_key(self.place)

    @property
    def tensor(self) -> Any:
        """What functions take."""
        return self.variable.handle


@dataclass(frozen=True, kw_only=True, eq=False)
class Constant:
    """A tensor that signatures captured."""

    tensor: Any


Bound = StoredVariable | Constant


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """One signature: a function, and what it is called with."""

    signature: str
    function: str
    """Its name in the library."""
    stateful: bool
    inputs: Mapping[str, Any]
    """Name to the function's symbolic tensor, in the order of the function and of the names."""
    outputs: Mapping[str, Any]
    """The same of what it gives."""
    bound: tuple[Bound, ...]
    """What the function takes behind its inputs."""


@dataclass(frozen=True, kw_only=True)
class Content:
    variables: tuple[StoredVariable, ...]
    constants: tuple[Constant, ...]
    calls: tuple[Call, ...]
    """Sorted by signature."""
    functions: Any
    """GraphDef without nodes: all functions that are called, and the versions of the format."""


def gather(model: TracedModel, tree: Tree, internals: Internals) -> Content:
    """Raises Indirect where the model is more than functions, variables and constants."""
    if model.resources:
        raise Indirect("it has lookup tables or other resources beside its variables")
    signatures = sorted(model.signatures, key=lambda s: s.declared.name)
    graph = tf.Graph()
    for signature in signatures:
        signature.function.add_to_graph(graph)
    functions = graph.as_graph_def(add_shapes=True)
    stateful = {f.signature.name: f.signature.is_stateful for f in functions.library.function}
    captures = _Captures(tree, internals)
    calls = tuple(_call(signature, captures, stateful) for signature in signatures)
    return Content(
        variables=tuple(captures.variables.values()),
        constants=tuple(captures.constants.values()),
        calls=calls,
        functions=functions,
    )


class _Captures:
    """The variables, and the constants that are met, each once."""

    def __init__(self, tree: Tree, internals: Internals) -> None:
        self.variables: dict[int, StoredVariable] = {}
        """By the identity of the handle."""
        self.constants: dict[int, Constant] = {}
        for place, variable in leaves(tree):
            if not isinstance(variable, internals.variable_class):
                raise Indirect(f"its variable {'/'.join(place)} is a {type(variable).__name__}")
            stored = StoredVariable(variable=variable, place=place)
            self.variables[id(variable.handle)] = stored

    def __getitem__(self, captured: Any) -> Bound:
        if (variable := self.variables.get(id(captured))) is not None:
            return variable
        if captured.dtype in (tf.resource, tf.variant) or hasattr(captured, "_cached_variable"):
            raise Indirect(f"a signature uses {captured!r}, which is none of its variables")
        return self.constants.setdefault(id(captured), Constant(tensor=captured))


def _call(signature: TracedSignature, captures: _Captures, stateful: Mapping[str, bool]) -> Call:
    function = signature.function
    face = function_interface(function)
    if list(face.inputs) != sorted(face.inputs):
        raise Indirect(f"signature {signature.declared.name} has inputs that are not in order")
    name = tf.compat.as_str(function.name)
    return Call(
        signature=signature.declared.name,
        function=name,
        stateful=stateful[name],
        inputs=face.inputs,
        outputs=face.outputs,
        bound=tuple(captures[captured] for captured in face.captures.values()),
    )
