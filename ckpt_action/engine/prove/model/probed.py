"""The probes of one signature with the live model's outputs: those that the model takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import tensorflow as tf

from ckpt_action.config.records import Verify
from ckpt_action.engine.prove.inputs.cuts import cut_probes
from ckpt_action.engine.prove.inputs.golden_file import Golden
from ckpt_action.engine.prove.inputs.probes import Probe, Recipe, draw, of_another_size, recipes
from ckpt_action.engine.prove.model.live import LiveSignature, known_words
from ckpt_action.engine.prove.model.numbers import nan_count
from ckpt_action.engine.records import TracedModel
from ckpt_action.errors import ExitCode, Problem

_BESIDE = 2
"""Samples beside golden inputs: of several rows, and of one."""


def recorded_probes(live: LiveSignature, golden: Golden) -> tuple[Probe, ...] | Problem:
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


def seeded_probes(
    live: LiveSignature, model: TracedModel, verify: Verify
) -> tuple[Probe, ...] | Problem:
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


def probes_beside(live: LiveSignature, model: TracedModel, verify: Verify) -> tuple[Probe, ...]:
    """Seeded ones beside golden inputs, which may hide what others show; none where the model
    takes none, or answers with NaN: then the golden file alone says which inputs are real."""
    few = replace(verify, samples=min(_BESIDE, verify.samples))
    try:
        drawn = seeded_probes(live, model, few)
    except tf.errors.ResourceExhaustedError:  # the golden inputs were small enough
        return ()
    if isinstance(drawn, Problem) or any(nan_count(a) for p in drawn for a in p.reference.values()):
        return ()
    return tuple(replace(p, beside=True) for p in drawn)


def sized_probes(live: LiveSignature, drawn: tuple[Probe, ...]) -> Iterator[Probe]:
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
