"""The signatures of a rebuilt model: as declared, or told by the model itself."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from ckpt_action.config.golden_names import declared_inputs, golden_inputs
from ckpt_action.config.records import DEFAULT_SIGNATURE, InputSpec, Model, Signature
from ckpt_action.config.wording import key_path_text, key_text
from ckpt_action.engine.keras_versions import is_graph_model, keras_family, loaded_keras
from ckpt_action.engine.names import legal_name
from ckpt_action.engine.rebuild.keras_inputs import derived_inputs, model_inputs
from ckpt_action.engine.rebuild.own_inputs import takes
from ckpt_action.engine.rebuild.switches import TRAINING_ARGUMENTS, switch_problems, switched
from ckpt_action.errors import CkptActionError, ExitCode, Problem, fail, raise_errors, warning


def inference_arguments(model: Any, signature: Signature) -> dict[str, bool]:
    """The arguments beside the inputs that put the method of `signature` into inference mode."""
    return switched(parameters(model, signature.method), signature)


def resolve_signatures(model: Any, of: Model) -> tuple[tuple[Signature, ...], tuple[Problem, ...]]:
    """(signatures, warnings): what `of` declares after checking its methods, else
    `serving_default`.

    It is derived from a Functional or Sequential Keras model, or from the `input_signature` of a
    `tf.function` on `__call__`. Raises CkptActionError (SIGNATURE) where neither is at hand.
    """
    declared = of.signatures
    if declared:
        missing = [p for s in declared if (p := _missing_method(model, s)) is not None]
        if missing:
            raise CkptActionError(*missing)
        return declared, tuple(p for s in declared for p in _switches(model, s, of))
    if is_graph_model(model):
        signature = Signature(name=DEFAULT_SIGNATURE, inputs=derived_inputs(model))
        return (signature,), _integer_warnings(model, signature, of.name)
    specs = getattr(find_method(model, "__call__"), "input_signature", None)
    if specs:
        found = _from_tf_function(model, specs, of)
        return (found,), _switches(model, found, of)
    raise _undeclared(model, of)


def find_method(model: Any, method: str) -> Any:
    """The callable behind `method`: `model` itself for `__call__`, else the attribute."""
    if method == "__call__":
        own = getattr(model, "__call__", None)  # noqa: B004  a `tf.function` keeps its signature
        return own if hasattr(own, "input_signature") else model
    found = model
    for part in method.split("."):
        found = getattr(found, part)
    return found


def parameters(model: Any, method: str) -> tuple[inspect.Parameter, ...]:
    """The parameters of `method` without `self`; those of `call` where Keras stands before it."""
    target = find_method(model, method)
    if keras_family(target) is not None:
        target = target.call
    try:
        return tuple(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):
        return ()


def _missing_method(model: Any, signature: Signature) -> Problem | None:
    try:
        found = find_method(model, signature.method)
    except AttributeError:
        found = None
    if callable(found):
        return None
    near = difflib.get_close_matches(signature.method, _public_methods(model), n=3)
    return Problem(
        code=ExitCode.SIGNATURE,
        message=f"signature {signature.name}: {type(model).__name__} has no method "
        f"`{signature.method}`.",
        hint=f"Did you mean {' or '.join(f'`{name}`' for name in near)}?"
        if near
        else '`method = "__call__"` calls the model itself.',
    )


def _switches(model: Any, signature: Signature, of: Model) -> tuple[Problem, ...]:
    """Raises CkptActionError for what would run as in training."""
    taken = parameters(model, signature.method)
    problems = switch_problems(taken, signature, golden=of.verify.golden is not None)
    raise_errors(problems)
    return problems


def _public_methods(model: Any) -> list[str]:
    own = {name for kind in type(model).__mro__ for name in vars(kind)} | set(
        getattr(model, "__dict__", {})
    )
    return sorted(name for name in own if not name.startswith("_"))


def _from_tf_function(model: Any, specs: Any, of: Model) -> Signature:
    if not all(isinstance(spec, tf.TensorSpec) and spec.shape.rank is not None for spec in specs):
        raise _undeclared(model, of)
    names = [p.name for p in parameters(model, "__call__")]
    inputs = tuple(
        InputSpec(
            name=name,
            dtype=spec.dtype.name,
            shape=tuple(
                size if size is not None else "batch" if axis == 0 else f"{name}_{axis}"
                for axis, size in enumerate(spec.shape)
            ),
        )
        for name, spec in zip(names, specs, strict=False)
    )
    return Signature(name=DEFAULT_SIGNATURE, inputs=inputs)


def _integer_warnings(model: Any, signature: Signature, model_name: str) -> tuple[Problem, ...]:
    """Ids declared as floats: Keras gives an input float32 where its builder did not say."""
    keras = loaded_keras(3 if keras_family(model) == "keras-3" else 2)
    embeddings = [layer for layer in model.layers if isinstance(layer, keras.layers.Embedding)]  # type: ignore[union-attr]
    ids = {
        spec.name
        for spec, own in zip(signature.inputs, model_inputs(model), strict=True)
        if "float" in spec.dtype and any(takes(layer, own.tensor) for layer in embeddings)
    }
    if not ids:
        return ()
    return (
        warning(
            ExitCode.SIGNATURE,
            f"{model_name}: {', '.join(sorted(ids))} holds ids (it feeds an Embedding), "
            "but the model declares it as float; it is exported so.",
            hint="Declare it as integers with these two lines.",
            details=_declaration(
                model_name, [_input(spec, integer=spec.name in ids) for spec in signature.inputs]
            ),
        ),
    )


def _input(spec: InputSpec, *, integer: bool) -> str:
    shape = ", ".join(f'"{size}"' if isinstance(size, str) else str(size) for size in spec.shape)
    dtype = "int32" if integer else spec.dtype
    return f'{key_text(spec.name)} = {{ dtype = "{dtype}", shape = [{shape}] }}'


def _undeclared(model: Any, of: Model) -> CkptActionError:
    golden = of.verify.golden
    if golden is not None and (inputs := declared_inputs(golden_inputs(golden))):
        hint = f"Start from these two lines, which are as {golden.name} is; give free sizes names."
    else:
        inputs = [
            f'{legal_name(name)} = {{ dtype = "float32", shape = ["batch", …] }}'
            for name in _required(model)
        ]
        hint = "Start from these two lines, with the real dtypes and shapes."
    return fail(
        ExitCode.SIGNATURE,
        f"{of.name}: a {type(model).__name__} does not say which inputs it takes, so its "
        "signature has to be declared.",
        hint=hint,
        details=_declaration(of.name, inputs),
    )


def _required(model: Any) -> list[str]:
    return [
        p.name
        for p in parameters(model, "__call__")
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        and p.default is p.empty
        and p.name not in TRAINING_ARGUMENTS
    ] or ["inputs"]


def _declaration(model_name: str, inputs: Iterable[str]) -> tuple[str, str]:
    table = key_path_text(("models", model_name, "signatures", DEFAULT_SIGNATURE))
    return f"[{table}]", f"inputs = {{ {', '.join(inputs)} }}"
