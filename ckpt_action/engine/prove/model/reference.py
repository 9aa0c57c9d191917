"""What every artifact is compared with, and how far the live model itself can be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import tensorflow as tf

from ckpt_action.config.records import Verify
from ckpt_action.engine.prove.inputs.cuts import cut_probes
from ckpt_action.engine.prove.inputs.golden_file import Golden, load_golden
from ckpt_action.engine.prove.inputs.probes import Probe, Recipe, draw, of_another_size, recipes
from ckpt_action.engine.prove.model.branches import branches_entered
from ckpt_action.engine.prove.model.eager import like_eager
from ckpt_action.engine.prove.model.live import LiveSignature, known_words
from ckpt_action.engine.prove.model.moved import INPUTS, same_for_all, unmoved
from ckpt_action.engine.prove.model.numbers import nan_count, number_problems
from ckpt_action.engine.prove.model.origin import origin
from ckpt_action.engine.prove.model.rows import rows_apart, rows_proof, rows_warning
from ckpt_action.engine.prove.model.statistics import stored_statistics
from ckpt_action.engine.prove.outputs.judgement import golden_problems, judge, tolerance_problems
from ckpt_action.engine.records import TracedModel
from ckpt_action.errors import ExitCode, Problem
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
    recorded = golden is not None and golden.signature == name
    drawn = _recorded(live, golden) if golden and recorded else _search(live, model, verify)
    if isinstance(drawn, Problem):
        return Reference(probes=(), proofs=(), problems=(drawn,))
    found = drawn + tuple(_cut(live, drawn))
    smallest = min(drawn, key=lambda p: sum(a.size for a in p.inputs.values()))
    repeated = all(
        live.repeats(p.inputs, p.reference) for p in (found if live.random else (smallest,))
    )
    retraced = not repeated or live.retraces(found)
    origins, kept = origin(live, found, model.untwinned) if repeated and retraced else (None, ())
    still = unmoved(live, model, drawn) if repeated else []
    called, otherwise = like_eager(live, model, found, steady=repeated and retraced)
    rows = rows_apart(live, drawn) if repeated else None
    statistics, unused = stored_statistics(live, drawn, rows=rows) if repeated else ((), ())
    with live.kept() as function:
        branches = branches_entered(name, function, found)
    return Reference(
        probes=found,
        proofs=(
            _deterministic(name, passed=repeated and retraced),
            *((origins,) if origins else ()),
            *called,
            _sensitive(name, still),
            rows_proof(name, passed=rows),
            *statistics,
            *branches,
        ),
        verdicts=tuple(v for p in found for v in judge(p, p.reference, verify, against="golden")),
        problems=(
            *(() if repeated else (_random(name),)),
            *(() if retraced else (_drawn_in_python(name),)),
            *kept,
            *otherwise,
            *unused,
            *((rows_warning(name),) if rows is False and not unused else ()),
            *((same_for_all(name, recorded=recorded),) if INPUTS in still else ()),
            *number_problems(live, model, drawn),
            *tolerance_problems(drawn, verify),
        ),
    )


def _recorded(live: LiveSignature, golden: Golden) -> tuple[Probe, ...] | Problem:
    """The golden probe with outputs, and the same inputs with another number of rows."""
    name = live.record.name
    probe = Probe(signature=name, label="golden", inputs=golden.inputs, golden=golden.outputs)
    ran = _run(live, (probe,))
    if isinstance(ran, str):
        return _refused(name, "its golden inputs", ran)
    resized = of_another_size(live.record, probe)
    if resized is None:
        return ran
    more = _run(live, (resized,))
    return _fixed_size(resized, more) if isinstance(more, str) else ran + more


def _search(live: LiveSignature, model: TracedModel, verify: Verify) -> tuple[Probe, ...] | Problem:
    """Probes with outputs by the first recipe that works; else a problem with the last refusal."""
    refusal = "the signature declares inputs that no recipe can draw"
    chosen: tuple[Recipe, tuple[Probe, ...]] | None = None
    words = tuple(known_words(model.resources))
    for recipe in recipes(live.record):
        if chosen and replace(chosen[0], positive=recipe.positive) != recipe:
            break  # only the sign of floats may still turn NaN into numbers
        probes = draw(live.record, recipe, samples=verify.samples, seed=verify.seed, words=words)
        ran = _run(live, probes)
        if isinstance(ran, str):
            refusal = ran
        elif not any(nan_count(array) for p in ran for array in p.reference.values()):
            return ran
        else:
            chosen = chosen or (recipe, ran)
    return chosen[1] if chosen else _refused(live.record.name, "every seeded input", refusal)


def _cut(live: LiveSignature, drawn: tuple[Probe, ...]) -> Iterator[Probe]:
    """Those that the model takes and answers with numbers."""
    for probe in cut_probes(live.record, drawn):
        ran = _run(live, (probe,))
        if not isinstance(ran, str) and not any(map(nan_count, ran[0].reference.values())):
            yield from ran


def _run(live: LiveSignature, probes: tuple[Probe, ...]) -> tuple[Probe, ...] | str:
    try:
        return tuple(replace(p, reference=live.run(p.inputs)) for p in probes)
    except tf.errors.ResourceExhaustedError:
        raise
    except (tf.errors.OpError, ValueError) as error:
        return _telling_line(str(error))


def _telling_line(text: str) -> str:
    """The first line; of an error in a graph the last one, behind the stack of the node."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()] or [""]
    if not lines[0].startswith("Graph execution error"):
        return lines[0]
    return next(line for line in reversed(lines) if not line.startswith("[["))


def _golden_proof(verdicts: tuple[OutputVerdict, ...]) -> Proof:
    if not verdicts:
        return Proof(name="golden", passed=None, detail="no golden file is declared")
    return Proof(name="golden", passed=all(v.passed for v in verdicts))


def _deterministic(signature: str, *, passed: bool) -> Proof:
    return Proof(
        name="deterministic",
        passed=passed,
        detail=f"signature {signature}, run again",
        signature=signature,
    )


def _sensitive(signature: str, still: list[str]) -> Proof:
    if not still:
        return Proof(
            name="sensitive", passed=True, detail=f"signature {signature}", signature=signature
        )
    return Proof(
        name="sensitive",
        passed=None,
        detail=f"signature {signature}: not verifiable by outputs, which do not move with "
        f"{', '.join(still)}; stored bytes alone answer for the weights",
        signature=signature,
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


def _refused(signature: str, inputs: str, refusal: str) -> Problem:
    hint = "Declare `verify.golden` with inputs that the model takes."
    if "Fusion is not implemented" in refusal:
        hint = (
            "The model is right: on CPUs with oneDNN TensorFlow fuses these operations into one "
            'that it does not have. `keras = "3"` makes a BatchNormalization of others; or set '
            "TF_ENABLE_ONEDNN_OPTS=0, here and wherever the model runs."
        )
    return Problem(
        code=ExitCode.VERIFY,
        message=f"Signature {signature!r} refuses {inputs}, so nothing can be verified: {refusal}",
        hint=hint,
    )


def _fixed_size(probe: Probe, refusal: str) -> Problem:
    return Problem(
        code=ExitCode.VERIFY,
        message=f"Signature {probe.signature!r} takes the golden inputs, but not with another free "
        f"size, {probe.label}: {refusal}",
        hint="Something keeps the size of the first call; or declare a number instead of a name.",
    )
