"""Memory that ran out is the machine's matter: it is never taken for a fault of code or model."""

from __future__ import annotations


def out_of_memory(error: BaseException | None) -> bool:
    """Whether `error`, or what it was raised for, says that there was too little memory."""
    while error is not None:
        if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
            return True
        error = error.__cause__ or error.__context__
    return False
