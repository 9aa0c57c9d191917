"""A signature of the rebuilt model, traced once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import tensorflow as tf

from ckpt_action.config.records import Signature
from ckpt_action.engine.metagraph.module import own_control_dependencies
from ckpt_action.engine.rebuild.calling import GraphModelCall
from ckpt_action.engine.rebuild.own_inputs import in_words
from ckpt_action.engine.records import Rebuilt
from ckpt_action.engine.trace.outputs import named_outputs
from ckpt_action.engine.user_code import describe_error
from ckpt_action.errors import CkptActionError, ExitCode, fail

_REFUSED = re.compile(
    r"expected (axis|shape|ndim|min_ndim|max_ndim)|incompatible (with the layer|shape)",
    re.IGNORECASE,
)
"""How Keras says that a layer does not take a tensor of this shape."""


def concrete_function(rebuilt: Rebuilt, signature: Signature) -> Any:
    """Traced anew at each call; raises CkptActionError (SIGNATURE) where that fails."""
    specs = {
        spec.name: tf.TensorSpec(
            [d if isinstance(d, int) else None for d in spec.shape], spec.dtype, name=spec.name
        )
        for spec in signature.inputs
    }
    try:
        return _traced(rebuilt, signature, specs)
    except CkptActionError:
        raise
    except Exception as error:
        raise _cannot_trace(rebuilt, signature, error) from error


def _traced(rebuilt: Rebuilt, signature: Signature, specs: Mapping[str, Any]) -> Any:
    """A function traced for nothing but `specs`: a `tf.function` that was called before would
    answer with an older, more general trace."""
    caller = rebuilt.callers[signature.name]

    def serve(**inputs: tf.Tensor) -> Mapping[str, tf.Tensor]:
        named = named_outputs(signature, caller(inputs), rebuilt.model)
        return {name: tf.identity(tensor) for name, tensor in named.items()}

    with own_control_dependencies() if rebuilt.family == "graph" else nullcontext():
        return tf.function(serve, autograph=False).get_concrete_function(**specs)


def _cannot_trace(rebuilt: Rebuilt, signature: Signature, error: Exception) -> CkptActionError:
    text, where, details = describe_error(error, rebuilt.sources)
    shown = ", ".join(
        f"{spec.name}: {spec.dtype}[{', '.join(map(str, spec.shape))}]" for spec in signature.inputs
    )
    if rebuilt.family == "graph":
        return fail(
            ExitCode.SIGNATURE,
            f"signature {signature.name}: the graph cannot be cut as declared: {text}",
            hint="Check shapes and dtypes of the declared inputs and constants.",
        )
    hint = "The method runs eagerly but not as a graph: use TensorFlow ops on its tensors."
    if _REFUSED.search(text):
        caller = rebuilt.callers[signature.name]
        hint = "Check the declared inputs: names, order, dtypes, shapes."
        if isinstance(caller, GraphModelCall):
            hint = f"The model takes {in_words(caller.pairs(signature))}."
    elif "NoneType" in text or "None values" in text or "unknown" in text.lower():
        hint = (
            "It needs a size that is declared free: declare a number, or read it with "
            "`tf.shape(x)` instead of `x.shape`."
        )
    return fail(
        ExitCode.SIGNATURE,
        f"signature {signature.name}: `{signature.method}` cannot be traced with {shown}: {text}",
        hint=hint,
        where=where,
        details=details,
    )
