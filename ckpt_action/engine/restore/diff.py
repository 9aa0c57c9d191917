"""Say why model and checkpoint do not fit."""

from __future__ import annotations

from ckpt_action.engine.restore.records import Attempt, LiveModel
from ckpt_action.errors import ExitCode, Problem


def explain(best: Attempt, model: LiveModel) -> Problem:
    lines = [f"missing {v.path} {v.shape}" for v in best.missing]
    lines += [f"unused {v.path} {v.shape}" for v in best.unused]
    lines += [f"unfit {c.variable.path} {c.variable.shape} {c.value.shape}" for c in best.unfit]
    lines += [f"ambiguous {v.path} {[x.key for x in xs]}" for v, xs in best.ambiguous]
    lines += [f"contra {c.variable.path} {c.value.full_name}" for c in best.contradicted]
    return Problem(
        code=ExitCode.RESTORE,
        message=f"Model and checkpoint do not fit: {len(best.bound)} of {len(model.own())} bound",
        details=tuple(lines),
    )
