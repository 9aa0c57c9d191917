"""Whether the model has the layers of the one that was trained, as far as the file tells."""

from __future__ import annotations

from ckpt_action.checkpoint.records import Kind
from ckpt_action.engine.layers.architectures import Difference
from ckpt_action.engine.layers.stored_layers import other_layers
from ckpt_action.engine.records import Restored
from ckpt_action.engine.some_of import some_of
from ckpt_action.errors import ExitCode, Problem, warning
from ckpt_action.outcome import Proof
from ckpt_action.plan import Job

_COUNTED = Kind.OBJECT_GRAPH
"""Tells how many layers there were: a Dropout that was left out is one less."""


def same_layers(restored: Restored, job: Job) -> tuple[tuple[Proof, ...], tuple[Problem, ...]]:
    """Nothing where the layers are the same, or the file does not tell.

    Else a warning and, where the file names the layers, a proof for each signature that stays open
    unless its golden values decide. What `allow-missing` or `allow-unused` cut is meant to differ.
    """
    binding = restored.binding
    if restored.rebuilt.family == "graph" or binding.unused_allowed or binding.missing_allowed:
        return (), ()
    difference = other_layers(restored.rebuilt.model, job.checkpoint, binding.root)
    if difference is None:
        return (), ()
    said = _in_words(difference)
    named = job.checkpoint.kind is not _COUNTED
    proofs = tuple(
        Proof(name="layers", passed=None, detail=f"signature {s.name}: {said}", signature=s.name)
        for s in restored.rebuilt.signatures
        if named
    )
    return proofs, (_warning(said, named=named),)


def _in_words(difference: Difference) -> str:
    stored, live = difference
    sides = (("the checkpoint's model has", stored), ("the one of the entry point has", live))
    return ", ".join(f"{whose} {some_of(names, 4)}" for whose, names in sides if names)


def _warning(said: str, *, named: bool) -> Problem:
    doubt = "" if named else " If they are Dropout or other layers of the training, it is the same."
    return warning(
        ExitCode.REBUILD,
        f"The model is not built as the one that was trained: {said}. All weights fit, the "
        f"outputs may differ.{doubt}",
        hint="Build it with the arguments of the training (`keras.applications` add layers where "
        'the weights are "imagenet"). If it is meant to differ, declare `verify.golden` with what '
        "it should compute.",
    )
