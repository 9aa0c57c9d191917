"""The passes that leave a graph small, and in ops that most readers know."""

from __future__ import annotations

from ckpt_action.engine.prepare.batch_norm import fold_batch_norm
from ckpt_action.engine.prepare.constants import fold_constants
from ckpt_action.engine.prepare.einsum import lower_einsum
from ckpt_action.engine.prepare.erfc import rewrite_erfc
from ckpt_action.engine.prepare.identities import skip_identities
from ckpt_action.engine.prepare.training_norm import rewrite_training_norm

PLAIN = (
    skip_identities,
    fold_constants,
    fold_batch_norm,
    rewrite_training_norm,
    rewrite_erfc,
    lower_einsum,
    fold_constants,
    skip_identities,
)
