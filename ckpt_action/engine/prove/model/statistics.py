"""Whether a signature normalizes by its batch in place of the statistics that the file holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack

from ckpt_action.engine.prove.inputs.cuts import size_of
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.model.live import LiveSignature, close
from ckpt_action.engine.prove.model.moved import perturbed
from ckpt_action.engine.prove.model.rows import rows_apart
from ckpt_action.engine.records import ModelVariable
from ckpt_action.engine.some_of import some_of
from ckpt_action.errors import ExitCode, Problem, warning
from ckpt_action.outcome import Proof

_SEEN = {
    True: "its rows are apart, as those of an instance normalization are",
    False: "its rows influence each other",
    None: "its rows could not be told apart",
}


def stored_statistics(
    live: LiveSignature, probes: Sequence[Probe], *, rows: bool | None
) -> tuple[tuple[Proof, ...], tuple[Problem, ...]]:
    """Nothing where outputs depend on all that lies beside what the signature reads, or where
    `rows` shows that no row depends on the others; else a proof that stays open, and a warning.

    What can hardly be anything but a mean and a variance is told of whatever the rows do; where
    they cannot be told apart, what lies alone may be a count or an average.
    """
    over = live.passed_over
    if rows is None and (over.any or live.untrained):
        rows = rows_apart(live, probes, fixed=True)
    told = {True: over.pairs, False: over.any, None: over.alike}[rows]
    unused = told if told or rows else _without_effect(live, _of_several_rows(probes))
    if not unused:
        return (), ()
    name = live.record.name
    names = some_of(unused, 3)
    detail = f"signature {name} computes without {names}, which lie beside what was trained"
    proof = Proof(name="statistics", passed=None, detail=detail, signature=name)
    return (proof,), (
        warning(
            ExitCode.VERIFY,
            f"{detail[0].upper()}{detail[1:]}, and {_SEEN[rows]}: a normalization in training mode "
            "takes mean and variance from what it is given in place of those.",
            hint="Hand the inference mode on to every layer; of a TF1 graph, feed its switch with "
            "False in `constants`, or take the graph that was saved for inference. If it is meant "
            "to be so, declare `verify.golden` with what it should compute.",
            details=unused,
        ),
    )


def _of_several_rows(probes: Sequence[Probe]) -> Probe:
    """The smallest one; of a single row the mean is the row itself, and nothing moves."""
    rows = [p for p in probes if all(len(a) > 1 for a in p.inputs.values() if a.ndim)]
    return min(rows or probes, key=size_of)


def _without_effect(live: LiveSignature, probe: Probe) -> tuple[str, ...]:
    """What is read in a branch that is not taken: no output moves with all that one owner has."""
    if not live.branches():
        return ()
    owners: dict[str, list[ModelVariable]] = defaultdict(list)
    for variable in live.untrained:
        owners[variable.path.rpartition("/")[0]].append(variable)
    return tuple(
        variable.path
        for variables in owners.values()
        if not _moves(live, probe, variables)
        for variable in variables
    )


def _moves(live: LiveSignature, probe: Probe, variables: Sequence[ModelVariable]) -> bool:
    with ExitStack() as stack:
        for variable in variables:
            stack.enter_context(perturbed(variable))
        return not close(live.run(probe.inputs), probe.reference)
