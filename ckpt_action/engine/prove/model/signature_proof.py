"""What was shown of one signature of the model."""

from __future__ import annotations

from ckpt_action.outcome import Proof


def signature_proof(name: str, signature: str, passed: bool | None, detail: str) -> Proof:
    """`passed` is None where nothing was shown; `detail` says why, in a clause."""
    return Proof(
        name=name, passed=passed, detail=f"signature {signature}: {detail}", signature=signature
    )
