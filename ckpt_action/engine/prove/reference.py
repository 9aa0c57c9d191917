"""What every artifact is compared with, and how far the live model itself can be trusted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from ckpt_action.config.records import Verify
from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.golden_file import Golden, load_golden
from ckpt_action.engine.prove.judgement import golden_problems, judge, tolerance_problems
from ckpt_action.engine.prove.live import LiveSignature, unmoved
from ckpt_action.engine.prove.origin import origin
from ckpt_action.engine.prove.probes import Probe, Recipe, draw, of_another_size, recipes
from ckpt_action.engine.prove.rows import rows_apart, rows_proof, rows_warning
from ckpt_action.engine.records import TracedModel
from ckpt_action.errors import ExitCode, Problem, Severity
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
    with another number of rows where that is free, every other one with `verify.samples` seeded
    batches. Problems of the model are collected; a golden file that fits no signature raises
    CkptActionError (CONFIG).
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
    found = (
        _recorded(live, golden) if golden and golden.signature == name else _search(live, verify)
    )
    if isinstance(found, Problem):
        return Reference(probes=(), proofs=(), problems=(found,))
    smallest = min(found, key=lambda p: sum(a.size for a in p.inputs.values()))
    repeated = all(
        live.repeats(p.inputs, p.reference) for p in (found if live.random else (smallest,))
    )
    retraced = not repeated or live.retraces(found)
    origins, kept = origin(live, found, model.untwinned) if repeated and retraced else (None, ())
    still = unmoved(live, model, smallest.inputs, smallest.reference) if repeated else []
    rows = rows_apart(live, found) if repeated else None
    return Reference(
        probes=found,
        proofs=(
            _deterministic(name, passed=repeated and retraced),
            *((origins,) if origins else ()),
            _sensitive(name, still),
            rows_proof(name, passed=rows),
        ),
        verdicts=tuple(v for p in found for v in judge(p, p.reference, verify, against="golden")),
        problems=(
            *(() if repeated else (_random(name),)),
            *(() if retraced else (_drawn_in_python(name),)),
            *kept,
            *((rows_warning(name),) if rows is False else ()),
            *_number_problems(name, found),
            *tolerance_problems(found, verify),
        ),
    )


def _recorded(live: LiveSignature, golden: Golden) -> tuple[Probe, ...] | Problem:
    """The golden probe with outputs, and the same inputs with another number of rows."""
    name = live.record.name
    probe = Probe(signature=name, label="golden", inputs=golden.inputs, golden=golden.outputs)
    ran = _run(live, (probe,))
    if isinstance(ran, str):
        return _unprobed(name, ran)
    resized = of_another_size(live.record, probe)
    if resized is None:
        return ran
    more = _run(live, (resized,))
    return _fixed_size(resized, more) if isinstance(more, str) else ran + more


def _search(live: LiveSignature, verify: Verify) -> tuple[Probe, ...] | Problem:
    """Probes with outputs by the first recipe that works; else a problem with the last refusal."""
    refusal = "the signature declares inputs that no recipe can draw"
    chosen: tuple[Recipe, tuple[Probe, ...]] | None = None
    for recipe in recipes(live.record):
        if chosen and replace(chosen[0], positive=recipe.positive) != recipe:
            break  # only the sign of floats may still turn NaN into numbers
        ran = _run(live, draw(live.record, recipe, samples=verify.samples, seed=verify.seed))
        if isinstance(ran, str):
            refusal = ran
        elif not any(_nan_count(array) for p in ran for array in p.reference.values()):
            return ran
        else:
            chosen = chosen or (recipe, ran)
    return chosen[1] if chosen else _unprobed(live.record.name, refusal)


def _run(live: LiveSignature, probes: tuple[Probe, ...]) -> tuple[Probe, ...] | str:
    try:
        return tuple(replace(p, reference=live.run(p.inputs)) for p in probes)
    except tf.errors.ResourceExhaustedError:
        raise
    except (tf.errors.OpError, ValueError) as error:
        return str(error).strip().splitlines()[0]


def _golden_proof(verdicts: tuple[OutputVerdict, ...]) -> Proof:
    if not verdicts:
        return Proof(name="golden", passed=None, detail="no golden file is declared")
    return Proof(name="golden", passed=all(v.passed for v in verdicts))


def _deterministic(signature: str, *, passed: bool) -> Proof:
    return Proof(name="deterministic", passed=passed, detail=f"signature {signature}, run again")


def _sensitive(signature: str, still: list[str]) -> Proof:
    if not still:
        return Proof(name="sensitive", passed=True, detail=f"signature {signature}")
    return Proof(
        name="sensitive",
        passed=None,
        detail=f"signature {signature}: not verifiable by outputs, which do not move with "
        f"{', '.join(still)}; stored bytes alone answer for the weights",
    )


def _random(signature: str) -> Problem:
    return Problem(
        code=ExitCode.VERIFY,
        message=f"Signature {signature!r} gives different outputs for the same inputs.",
        hint="Something draws random numbers at inference: dropout or noise left on "
        "(`training=True` inside the model's code), or sampling that needs a fixed seed.",
    )


def _drawn_in_python(signature: str) -> Problem:
    return Problem(
        code=ExitCode.VERIFY,
        message=f"Signature {signature!r} computes something else each time it is traced.",
        hint="Its code draws numbers with NumPy or Python, reads the clock or counts its calls: "
        "what comes out is a constant in the artifact. Leave that to training, or use TensorFlow "
        "ops.",
    )


def _unprobed(signature: str, refusal: str) -> Problem:
    return Problem(
        code=ExitCode.VERIFY,
        message=f"Signature {signature!r} refuses every seeded input, so nothing can be verified: "
        f"{refusal}",
        hint="Declare `verify.golden` with inputs that the model takes.",
    )


def _fixed_size(probe: Probe, refusal: str) -> Problem:
    return Problem(
        code=ExitCode.VERIFY,
        message=f"Signature {probe.signature!r} takes the golden inputs, but not with another free "
        f"size, {probe.label}: {refusal}",
        hint="Something keeps the size of the first call; or declare a number instead of a name.",
    )


def _number_problems(signature: str, probes: tuple[Probe, ...]) -> tuple[Problem, ...]:
    """NaN where the golden file expects it is right. For seeded inputs some NaN may be the inputs'
    fault, a warning; an output without one finite value proves nothing and is an error."""
    if any(p.golden is not None for p in probes):
        return ()
    problems = []
    for name in probes[0].reference:
        arrays = [p.reference[name] for p in probes]
        numbers = [a.astype(np.complex128) for a in arrays if _is_float(a) and a.size]
        if not numbers or not (nan := sum(_nan_count(a) for a in arrays)):
            continue
        dead = not any(np.isfinite(a).any() for a in numbers)
        problems.append(
            Problem(
                code=ExitCode.VERIFY,
                severity=Severity.ERROR if dead else Severity.WARNING,
                message=f"Output {name!r} of signature {signature!r} has "
                + ("no finite value" if dead else f"{nan} NaN values")
                + " on seeded inputs: the weights are damaged, or the inputs are outside of what "
                "the model takes.",
                hint="Declare `verify.golden` with real inputs and their outputs.",
            )
        )
    return tuple(problems)


def _is_float(array: Array) -> bool:
    return array.dtype.kind not in "iubO"


def _nan_count(array: Array) -> int:
    return int(np.isnan(array.astype(np.complex128)).sum()) if _is_float(array) else 0
