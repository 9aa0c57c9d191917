"""A model with another weight: what is written of it holds that weight in its files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

import numpy as np
from handmade import Arrays, Case

from ckpt_action.engine.prove.outputs.spread import spread


@contextmanager
def perturbed(case: Case, least: float) -> Iterator[Arrays]:
    """What the model computes while one element of one kernel is another, and an output has moved
    by `least` of its spread.

    The kernel is the first that does, from the middle of the model on: some elements decide
    nothing, for what follows normalises, or cuts them off; of deep networks one decides little.
    """
    reference = case.live("serving_default")
    kernels = [v.variable for v in case.model.variables if len(v.variable.shape) > 1]
    for variable, times in product(kernels[len(kernels) // 2 :], (10, 1000)):
        value = variable.numpy()
        changed = value.copy()
        changed[tuple(size // 2 for size in value.shape)] += times * np.abs(value).max()
        variable.assign(changed)
        try:
            if _moved(outputs := case.live("serving_default"), reference, least):
                yield outputs
                return
        finally:
            variable.assign(value)
    raise AssertionError("no kernel reaches the outputs")


def _moved(outputs: Arrays, reference: Arrays, least: float) -> bool:
    return any(
        np.abs(outputs[name] - wanted).max() > least * spread([wanted])
        for name, wanted in reference.items()
    )
