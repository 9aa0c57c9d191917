"""Operations by which outputs depend on neither inputs nor weights: clocks, files, fixed noise.

A probe that is run twice finds numbers that differ from call to call. It does not find a clock that
is read by the hour, nor dropout with a seed that is always the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ckpt_action.engine import internals
from ckpt_action.engine.trace.op_kinds import draws, reads_clock, reads_files
from ckpt_action.engine.trace.written import written_captures
from ckpt_action.errors import ExitCode, Problem, Severity

_SEEDS = frozenset({"seed", "key", "counter"})


def outside(signature: str, function: Any) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """An error where an output depends on the clock; warnings for files and for noise that every
    call repeats, whose operations come second. What reaches no output is passed over."""
    fixed = _fixed_captures(function.graph)
    names: dict[str, list[str]] = {"clock": [], "files": [], "noise": []}
    for node, body in _reaching(function):
        if reads_clock(node.op):
            names["clock"].append(node.name)
        elif reads_files(node.op):
            names["files"].append(node.name)
        elif _adds_noise(node.op) and _is_fixed(node, body, fixed):
            names["noise"].append(node.name)
    problems = {
        "clock": _problem(
            Severity.ERROR,
            f"signature {signature} reads the clock ({_shown(names['clock'])}): its outputs depend "
            "on when it is called.",
            "Take the time as an input.",
        ),
        "files": _problem(
            Severity.WARNING,
            f"signature {signature} reads files at every call ({_shown(names['files'])}); the "
            "artifact does not hold them.",
            "Read them when the model is made and keep what they hold, or take it as an input.",
        ),
        "noise": _problem(
            Severity.WARNING,
            f"signature {signature} adds the same random numbers at every call, by a fixed seed "
            f"({_shown(names['noise'])}), as dropout does that is left on.",
            "Leave noise to training; or take the seed as an input.",
        ),
    }
    return tuple(problems[kind] for kind, found in names.items() if found), tuple(names["noise"])


def _problem(severity: Severity, message: str, hint: str) -> Problem:
    return Problem(code=ExitCode.SIGNATURE, severity=severity, message=message, hint=hint)


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def _reaching(function: Any) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """(node, all nodes of its body) of what the outputs depend on, in nested functions too."""
    definition = function.graph.as_graph_def()
    library = {one.signature.name: one for one in definition.library.function}
    outputs = [tensor.name for tensor in function.graph.outputs]
    bodies = [({node.name: node for node in definition.node}, outputs)]
    seen: set[str] = set()
    while bodies:
        body, returned = bodies.pop()
        for name in _ancestors(returned, body):
            node = body.get(name)
            if node is None:
                continue
            yield node, body
            for called in _functions(node, library):
                if called not in seen:
                    seen.add(called)
                    inner = library[called]
                    bodies.append(({n.name: n for n in inner.node_def}, list(inner.ret.values())))


def _functions(node: Any, library: Mapping[str, Any]) -> Iterator[str]:
    values = [f.name for a in node.attr.values() for f in (a.func, *a.list.func)]
    yield from (name for name in (*values, node.op) if name in library)


def _ancestors(references: Iterable[str], body: Mapping[str, Any]) -> set[str]:
    """Names of nodes, and of arguments, that the values of `references` come from."""
    found: set[str] = set()
    queue = [reference.partition(":")[0] for reference in references]
    while queue:
        name = queue.pop()
        if name in found:
            continue
        found.add(name)
        if name in body:
            queue += [i.partition(":")[0] for i in body[name].input if not i.startswith("^")]
    return found


def _adds_noise(op: str) -> bool:
    """The operations that only prepare a seed are not counted twice."""
    return op.startswith("Stateless") and draws(op) and "Get" not in op


def _fixed_captures(graph: Any) -> frozenset[str]:
    """Nodes of variables that no call changes."""
    written = written_captures(graph)
    return frozenset(i.op.name for outer, i in graph.captures if id(outer) not in written)


def _is_fixed(node: Any, body: Mapping[str, Any], fixed: frozenset[str]) -> bool:
    """Whether its seed comes from constants, and variables that keep their values, alone."""
    definition = internals.op_definition(node.op)
    if definition is None:
        return False
    data = [reference for reference in node.input if not reference.startswith("^")]
    seeds = [
        reference
        for argument, reference in zip(definition.input_arg, data, strict=False)
        if argument.name in _SEEDS
    ]
    sources = _ancestors(seeds, body)
    return bool(seeds) and all(
        name in body and (body[name].op != "Placeholder" or name in fixed) for name in sources
    )
