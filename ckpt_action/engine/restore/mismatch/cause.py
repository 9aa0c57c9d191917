"""Name the likely cause of a failed restore, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ckpt_action.checkpoint.records import Writer
from ckpt_action.config.records import Signature
from ckpt_action.engine.restore.dtypes import fits
from ckpt_action.engine.restore.mismatch.cudnn_cause import two_biases
from ckpt_action.engine.restore.mismatch.declared import other_size
from ckpt_action.engine.restore.mismatch.diff import LEGEND, is_renamed, one_sided, rows, table
from ckpt_action.engine.restore.mismatch.disputed import disputed
from ckpt_action.engine.restore.mismatch.evidence import Cause, Evidence
from ckpt_action.engine.restore.mismatch.unnamed import unnamed
from ckpt_action.engine.restore.records import Attempt, LiveModel
from ckpt_action.errors import ExitCode, Problem

_AS_TRAINED = "Build the model as it was trained"


def explain(
    best: Attempt,
    elsewhere: Sequence[Attempt],
    model: LiveModel,
    writer: Writer,
    declared: Sequence[Signature] = (),
) -> Problem:
    """The problem that a person sees: how much fits, the likely cause, both sides in a table."""
    evidence = Evidence(
        best=best,
        elsewhere=elsewhere,
        rows=rows(best, model),
        writer=writer,
        declared=declared,
    )
    found = [cause for check in _CHECKS if (cause := check(evidence))]
    part = f"part {best.root!r} of the checkpoint" if best.root else "checkpoint"
    count = len(best.bound) - len(best.contradicted)
    return Problem(
        code=ExitCode.RESTORE,
        message=f"The model and the {part} do not fit: {count} of {len(model.own())} variables "
        f"of the model have their value. {found[0].text}",
        hint=found[0].hint,
        details=(*table(best, model), "", LEGEND),
    )


def _other_root(evidence: Evidence) -> Cause | None:
    if not evidence.elsewhere:
        return None
    names = ", ".join(repr(attempt.root) for attempt in evidence.elsewhere)
    if (lost := _never_saved(evidence)) is not None:
        return Cause(
            f"{lost.text} Another part of the checkpoint is whole: {names}.",
            f"If that is the model that you want, set `root` accordingly. {lost.hint}",
        )
    return Cause(f"The model fits {names}.", "Set `root` accordingly, or leave it out.")


def _never_saved(evidence: Evidence) -> Cause | None:
    lost = {id(v) for v in evidence.best.never_saved}
    alone = [row for row in evidence.rows if id(row.live) in lost and row.value is None]
    if evidence.writer is not Writer.KERAS_3 or not alone:
        return None
    return Cause(
        f"{_counted(len(alone), 'variable')} hang below a Python list, tuple or dict of a Keras 3 "
        "layer, or are no attribute at all. tf.train.Checkpoint does not see these: Keras 3 never "
        "saved their values as part of the model.",
        "Nothing can bring them back from this file. Save again from the training program with "
        "model.save_weights('x.weights.h5').",
    )


def _order(evidence: Evidence) -> Cause | None:
    if not evidence.best.contradicted:
        return None
    return Cause(
        f"{len(evidence.best.contradicted)} could be bound by their order alone, and the names "
        "that were recorded contradict it: layers of equal shape may be swapped.",
        "Create the layers in the order of the training program, or give them the names they had; "
        "freeze those that it froze (`trainable = False`), for that moves weights in legacy `.h5` "
        "files. "
        'For a file of Keras 2, `keras = "2"` rebuilds the model with that Keras.',
    )


def _several(evidence: Evidence) -> Cause | None:
    if not evidence.best.ambiguous:
        return None
    return Cause(
        f"For {len(evidence.best.ambiguous)} variables it is not clear which value they take.",
        f"{_AS_TRAINED}, or name its part of the checkpoint with `root`.",
    )


def _declared_shape(evidence: Evidence) -> Cause | None:
    found = other_size(evidence.rows, evidence.declared)
    if found is None:
        return None
    written = json.dumps(found.spec.shape)
    return Cause(
        f"The declared input `{found.spec.name}` gives a kernel {found.live} inputs, and the "
        f"checkpoint's has {found.stored}.",
        f"Correct `{found.key}`, which is {written}, to what the model was trained on; or, if it "
        "is right, build the model as it was trained (see `arguments`).",
    )


def _another_model(evidence: Evidence) -> Cause | None:
    pairs = [(row.live, row.value) for row in evidence.rows]
    alike = sum(1 for live, value in pairs if live and value and live.shape == value.shape)
    if evidence.best.bound or alike * 2 >= len(pairs):
        return None
    return Cause(
        "Hardly anything fits: this is the checkpoint of another model, or the entry point builds "
        "another architecture.",
        "Check `entry-point`, its `arguments` and `checkpoints`.",
    )


def _shapes(evidence: Evidence) -> Cause | None:
    pairs = [(row.live, row.value) for row in evidence.rows]
    count = sum(1 for live, value in pairs if live and value and live.shape != value.shape)
    if not count:
        return None
    return Cause(
        f"The checkpoint has {_counted(count, 'variable')} of another shape.",
        f"{_AS_TRAINED}: the number of units, filters or classes differs (see `arguments`).",
    )


def _dtypes(evidence: Evidence) -> Cause | None:
    pairs = [(c.value.dtype, c.variable.dtype) for c in evidence.best.unfit]
    lossy = [pair for pair in pairs if not fits(*pair)]
    if not lossy:
        return None
    stored, live = lossy[0]
    return Cause(
        f"{len(lossy)} are of another dtype, which {live} cannot hold without loss: {stored}.",
        f"{_AS_TRAINED}, with the same dtype.",
    )


def _names(evidence: Evidence) -> Cause | None:
    live, stored = one_sided(evidence.rows)
    renamed = sum(is_renamed(row) for row in evidence.rows)
    if evidence.best.route == "variable names" and (renamed or live):
        return Cause(
            "The checkpoint knows variables by their names alone, and the names differ.",
            "Give the model's variables the names of the checkpoint: name scopes, layer names.",
        )
    if not renamed or live or stored:
        return None
    return Cause(
        f"The checkpoint has {_counted(renamed, 'variable')} of another name.",
        "Rename the attributes of the model back to what they were at training time.",
    )


def _one_side(evidence: Evidence) -> Cause | None:
    live, stored = one_sided(evidence.rows)
    if live and not stored:
        return Cause(
            f"The model has {_counted(len(live), 'variable')} that the checkpoint does not hold: a "
            "layer or a weight was added since.",
            f"{_AS_TRAINED}; where they may keep their initial values, list them in "
            "`allow-missing`.",
        )
    if stored and not live:
        return Cause(
            f"The checkpoint holds {_counted(len(stored), 'value')} that the model has no place "
            "for: a layer or a weight was dropped since.",
            f"{_AS_TRAINED}; where the values are really not needed, list them in `allow-unused`.",
        )
    return None


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _changed(_: Evidence) -> Cause:
    return Cause(
        "The code has changed since the checkpoint was written.",
        f"{_AS_TRAINED}; the table shows what differs.",
    )


_CHECKS = (
    disputed,
    _other_root,
    _never_saved,
    unnamed,
    _order,
    _several,
    _declared_shape,
    two_biases,
    _another_model,
    _shapes,
    _dtypes,
    _names,
    _one_side,
    _changed,
)
