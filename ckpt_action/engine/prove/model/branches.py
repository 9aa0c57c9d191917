"""Which branches of a signature no probe enters: what they compute was compared with nothing.

Their weights and constants are in the other proofs. A copy of the graph, in which every branch
notes that it runs, is run on the probes; graphs without branches cost nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf

from ckpt_action.engine import internals
from ckpt_action.engine.arrays import Array
from ckpt_action.engine.out_of_memory import out_of_memory
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.model.signature_proof import signature_proof
from ckpt_action.engine.some_of import some_of
from ckpt_action.outcome import Proof

_proof = partial(signature_proof, "branches")

_BRANCHES = {"then_branch": "true", "else_branch": "false", "branches": "case"}


def branches_entered(signature: str, function: Any, probes: Sequence[Probe]) -> tuple[Proof, ...]:
    """Nothing where the graph has no branches."""
    definition = function.graph.as_graph_def()
    branches = dict(_branches(definition))
    if not branches:
        return ()
    with tempfile.TemporaryDirectory(prefix="ckpt-action-") as folder:
        notes = Path(folder) / "entered"
        try:
            changed = _noting(definition, branches, notes)
            run = _callable(function, changed)
            with internals.known_functions(changed.library.function):
                for probe in probes:
                    run(probe.inputs)
        except Exception as error:  # of a graph that cannot be written anew
            if out_of_memory(error):
                raise
            return (_proof(signature, None, f"which ones run was not seen: {error!s:.200}"),)
        entered = set(notes.read_text().split()) if notes.exists() else set()
    left = [words for number, words in enumerate(branches.values()) if str(number) not in entered]
    if not left:
        return (_proof(signature, True, f"the probes enter all {len(branches)}"),)
    shown = some_of(left)
    return (
        _proof(
            signature,
            None,
            f"no probe enters {len(left)} of {len(branches)} ({shown}): their values were not "
            "compared. A golden file with inputs that lead there does it",
        ),
    )


def _branches(definition: Any) -> Iterator[tuple[str, str]]:
    """(function, what to call it) of every branch, in the order of the graph."""
    bodies = [definition.node, *(f.node_def for f in definition.library.function)]
    for node in (node for nodes in bodies for node in nodes):
        for attribute, words in _BRANCHES.items():
            if attribute not in node.attr:
                continue
            value = node.attr[attribute]
            if value.func.name:
                yield value.func.name, f"{words} of {node.name}"
            for place, function in enumerate(value.list.func):
                yield function.name, f"{words} {place} of {node.name}"


def _noting(definition: Any, branches: Mapping[str, str], notes: Path) -> Any:
    """A copy in which every branch writes its number into `notes`."""
    changed = type(definition)()
    changed.CopyFrom(definition)
    numbers = {name: str(number) for number, name in enumerate(branches)}
    for body in changed.library.function:
        if body.signature.name in numbers:
            _add_note(body, numbers[body.signature.name], notes)
    _rename(changed)
    return changed


def _callable(function: Any, definition: Any) -> Callable[[Mapping[str, Array]], None]:
    """Calls `definition` as `function` is called, with what that has captured."""
    graph = function.graph
    captured = {id(inner): outer for outer, inner in graph.captures}
    fed = [t for t in graph.inputs if id(t) not in captured]
    held = {t.name: captured[id(t)] for t in graph.inputs if id(t) in captured}

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def run(values: Sequence[Any]) -> Any:
        given = {t.name: value for t, value in zip(fed, values, strict=True)}
        capture = tf.compat.v1.get_default_graph().capture
        given |= {name: capture(outer) for name, outer in held.items()}
        outputs = [t.name for t in graph.outputs]
        return tf.graph_util.import_graph_def(definition, given, outputs, name="")

    names = [t.op.name for t in fed]
    return lambda inputs: run(
        [tf.constant(inputs[name], t.dtype) for name, t in zip(names, fed, strict=True)]
    )


def _rename(definition: Any) -> None:
    """Every function: those of the old names are known to TensorFlow, and would be called."""
    library = definition.library
    del library.gradient[:]
    names = {f.signature.name: f"{f.signature.name}_noting" for f in library.function}
    for body in library.function:
        body.signature.name = names[body.signature.name]
    for nodes in (definition.node, *(f.node_def for f in library.function)):
        for node in nodes:
            node.op = names.get(node.op, node.op)
            for value in node.attr.values():
                for function in (value.func, *value.list.func):
                    if function.name in names:
                        function.name = names[function.name]


def _add_note(body: Any, number: str, notes: Path) -> None:
    text = body.node_def.add(name="ckpt_action/number", op="Const")
    text.attr["dtype"].type = tf.string.as_datatype_enum
    text.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(number))
    note = body.node_def.add(
        name="ckpt_action/note", op="PrintV2", input=["ckpt_action/number:output:0"]
    )
    note.attr["output_stream"].s = f"file://{notes}".encode()
    note.attr["end"].s = b"\n"
    body.control_ret["ckpt_action/note"] = "ckpt_action/note"
    body.signature.control_output.append("ckpt_action/note")
    body.signature.is_stateful = True
