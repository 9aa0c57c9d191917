"""Where the handles of variables go: through loops, branches, calls and TF1 control flow.

Nothing is changed here; `convert` acts on what is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ckpt_action.engine.freeze.graph import Bodies, Body

THROUGH = {
    "Enter": (0,), "Exit": (0,), "Identity": (0,), "Merge": (0,), "NextIteration": (0,),
    "Switch": (0, 1),
}  # fmt: skip
"""Ops that hand their first value on, and to which outputs; `IdentityN` and `_SwitchN` beside."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """How an op of functional control flow names what it hands to its functions."""

    skip: int
    """Inputs before the functions' arguments."""
    types: str
    """Attribute with the arguments' types."""
    functions: tuple[str, ...]
    returns: bool = True
    """Outputs are what the functions return; a loop's are its own variables instead."""


_IF = Call(skip=1, types="Tin", functions=("then_branch", "else_branch"))
_CASE = Call(skip=1, types="Tin", functions=("branches",))
_WHILE = Call(skip=0, types="T", functions=("body", "cond"), returns=False)
_CALL = Call(skip=0, types="Tin", functions=("f",))
CALLS = {
    "Case": _CASE, "StatelessCase": _CASE, "If": _IF, "StatelessIf": _IF,
    "While": _WHILE, "StatelessWhile": _WHILE,
    "PartitionedCall": _CALL, "StatefulPartitionedCall": _CALL,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Held:
    """What the variable behind a handle holds."""

    dtype: int
    """`DataType` number."""
    shape: Any
    """TensorShapeProto; of unknown rank where one function serves variables of several shapes."""
    variables: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Use:
    """One input of one node that reads a handle."""

    body: str
    node: Any
    index: int
    held: Held


class HandleFlow:
    """Follows handles from their nodes in the main graph to every op that uses one."""

    def __init__(self, graph: Any, sources: Mapping[str, Held]) -> None:
        self.bodies = Bodies(graph)
        self.held: dict[tuple[str, str], Held] = {}
        """(body, reference) to what lies behind it."""
        self.clashes: list[str] = []
        self._callers: dict[str, dict[tuple[str, str], Any]] = {}
        self._waiting: list[tuple[str, str]] = []
        for node, held in sources.items():
            self._reach(self.bodies.main.name, f"{node}:0", held)
        while self._waiting:
            self._follow(*self._waiting.pop())

    def uses(self) -> list[Use]:
        """Every reading input, in the order of the bodies' nodes."""
        found = [
            Use(body=body, node=node, index=index, held=held)
            for (body, reference), held in self.held.items()
            for node, index in self.bodies[body].readers(reference)
        ]
        return sorted(found, key=lambda use: (use.body, use.node.name, use.index))

    def _reach(self, body: str, reference: str, held: Held) -> None:
        known = self.held.get((body, reference))
        if known is not None:
            if known.dtype != held.dtype:
                names = sorted(known.variables | held.variables)
                self.clashes.append(f"{body}: variables of two types meet: {', '.join(names)}")
                return
            held = _joined(known, held)
            if held == known:
                return
        self.held[body, reference] = held
        self._waiting.append((body, reference))

    def _follow(self, name: str, reference: str) -> None:
        body, held = self.bodies[name], self.held[name, reference]
        for node, index in body.readers(reference):
            for port in _ports(node, index):
                self._reach(name, body.output(node, port), held)
            if node.op in CALLS:
                self._into(body, node, index, held)
        if body.function is not None:
            self._out_of(body, reference, held)

    def _into(self, body: Body, node: Any, index: int, held: Held) -> None:
        call = CALLS[node.op]
        if index < call.skip:
            return
        for function in functions_of(node, call):
            argument = self.bodies.functions[function].signature.input_arg[index - call.skip]
            self._reach(function, argument.name, held)
            if call.returns:
                self._callers.setdefault(function, {})[body.name, node.name] = node
                self._returned(function, body, node)
        if not call.returns:
            self._reach(body.name, body.output(node, index), held)

    def _returned(self, function: str, body: Body, node: Any) -> None:
        """A function that was followed before may already be known to return a handle."""
        definition = self.bodies.functions[function]
        for port, argument in enumerate(definition.signature.output_arg):
            held = self.held.get((function, definition.ret[argument.name]))
            if held is not None:
                self._reach(body.name, body.output(node, port), held)

    def _out_of(self, body: Body, reference: str, held: Held) -> None:
        assert body.function is not None
        for port, argument in enumerate(body.function.signature.output_arg):
            if body.function.ret[argument.name] != reference:
                continue
            for (caller, _), node in list(self._callers.get(body.name, {}).items()):
                self._reach(caller, self.bodies[caller].output(node, port), held)


def functions_of(node: Any, call: Call) -> list[str]:
    """Names of the functions that a functional control flow op calls."""
    names = []
    for key in call.functions:
        attr = node.attr[key]
        names += [attr.func.name] if attr.HasField("func") else [f.name for f in attr.list.func]
    return names


def _ports(node: Any, index: int) -> tuple[int, ...]:
    if node.op == "IdentityN":
        return (index,)
    if node.op == "_SwitchN":
        return tuple(range(node.attr["num_outs"].i)) if index == 0 else ()
    if node.op == "Switch" and index == 1:
        return ()
    return THROUGH.get(node.op, ())


def _joined(one: Held, other: Held) -> Held:
    shape = one.shape
    if one.shape != other.shape:
        shape = type(one.shape)(unknown_rank=True)
    return Held(dtype=one.dtype, shape=shape, variables=one.variables | other.variables)
