"""What every artifact is compared with, and how far the live model itself can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

from ckpt_action.config.records import Verify
from ckpt_action.engine.prove.inputs.golden_file import Golden, load_golden
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.model.branches import branches_entered
from ckpt_action.engine.prove.model.eager import like_eager
from ckpt_action.engine.prove.model.live import LiveSignature
from ckpt_action.engine.prove.model.moved import INPUTS, same_for_all, sensitive, unmoved
from ckpt_action.engine.prove.model.numbers import number_problems
from ckpt_action.engine.prove.model.origin import origin
from ckpt_action.engine.prove.model.probed import (
    probes_beside,
    recorded_probes,
    seeded_probes,
    sized_probes,
)
from ckpt_action.engine.prove.model.rows import rows_apart, rows_proof, rows_warning
from ckpt_action.engine.prove.model.statistics import stored_statistics
from ckpt_action.engine.prove.model.steady import deterministic, steadiness, unsteady
from ckpt_action.engine.prove.outputs.judgement import golden_problems, judge, tolerance_problems
from ckpt_action.engine.records import TracedModel
from ckpt_action.errors import Problem
from ckpt_action.outcome import OutputVerdict, Proof


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Probes with the live model's outputs, and what was shown about the model itself."""

    probes: tuple[Probe, ...]
    proofs: tuple[Proof, ...]
    verdicts: tuple[OutputVerdict, ...] = ()
    problems: tuple[Problem, ...] = ()


def make_reference(model: TracedModel, verify: Verify) -> Reference:
    """Run every signature of `model` on its probes.

    A signature that the golden file belongs to is probed with the golden inputs, as they are and
    with another number of rows where that is free, and with a few seeded batches; every other one
    with `verify.samples` of them. Problems of the model are collected; a golden file that fits no
    signature raises CkptActionError (CONFIG).
    """
    golden = None
    if verify.golden is not None:
        golden = load_golden(verify.golden, [s.record for s in model.signatures])
    parts = [
        _of_signature(LiveSignature(traced), model, verify, golden) for traced in model.signatures
    ]
    verdicts = tuple(v for part in parts for v in part.verdicts)
    problems = tuple(p for part in parts for p in part.problems)
    return Reference(
        probes=tuple(p for part in parts for p in part.probes),
        proofs=(_golden_proof(verdicts), *(p for part in parts for p in part.proofs)),
        verdicts=verdicts,
        problems=problems + golden_problems("The rebuilt model", verdicts),
    )


def _of_signature(
    live: LiveSignature, model: TracedModel, verify: Verify, golden: Golden | None
) -> Reference:
    name = live.record.name
    recorded = golden is not None and golden.signature == name
    drawn = (
        recorded_probes(live, golden) if golden and recorded else seeded_probes(live, model, verify)
    )
    if isinstance(drawn, Problem):
        return Reference(probes=(), proofs=(), problems=(drawn,))
    found = drawn + tuple(sized_probes(live, drawn))
    beside = probes_beside(live, model, verify) if recorded else ()
    steady = steadiness(live, drawn, found + beside)
    repeated = steady.repeated
    origins, kept = origin(live, found + beside, model.untwinned) if steady.whole else (None, ())
    still = unmoved(live, model, drawn) if repeated else []
    called, otherwise = like_eager(live, model, found + beside, steady=steady.whole)
    rows = rows_apart(live, drawn) if repeated else None
    statistics, unused = stored_statistics(live, drawn, rows=rows) if repeated else ((), ())
    with live.kept() as function:
        branches = branches_entered(name, function, found)
    return Reference(
        probes=found + beside,
        proofs=(
            deterministic(name, steady),
            *((origins,) if origins else ()),
            *called,
            sensitive(name, still),
            rows_proof(name, passed=rows),
            *statistics,
            *branches,
        ),
        verdicts=tuple(v for p in found for v in judge(p, p.reference, verify, against="golden")),
        problems=(
            *unsteady(name, steady),
            *kept,
            *otherwise,
            *unused,
            *((rows_warning(name),) if rows is False and not unused else ()),
            *((same_for_all(name, recorded=recorded),) if INPUTS in still else ()),
            *number_problems(live, model, drawn),
            *tolerance_problems(drawn, verify),
        ),
    )


def _golden_proof(verdicts: tuple[OutputVerdict, ...]) -> Proof:
    if not verdicts:
        return Proof(name="golden", passed=None, detail="no golden file is declared")
    return Proof(name="golden", passed=all(v.passed for v in verdicts))
