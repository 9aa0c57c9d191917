"""Names for what a model returns, in the order of `tf.nest.flatten`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from ckpt_action.config.records import Signature
from ckpt_action.engine.keras_versions import is_graph_model
from ckpt_action.engine.names import legal_name
from ckpt_action.errors import CkptActionError, ExitCode, fail

Path = tuple[str | int, ...]
"""Keys and positions that lead to one part of a nested result."""

_COUNTED = re.compile(r"_\d+$")


def named_outputs(signature: Signature, result: Any, model: Any) -> dict[str, tf.Tensor]:
    """Every tensor of `result` under its declared name, else its key, else the name that the
    model's author gave the output layer, else `output_<position>`.

    Raises CkptActionError (SIGNATURE) where count or keys differ from the declaration, or a part
    of the result is no dense tensor.
    """
    leaves = list(_leaves(result, ()))
    tensors = [_tensor(signature, path, leaf) for path, leaf in leaves]
    keyed = all(path and all(isinstance(part, str) for part in path[:1]) for path, _ in leaves)
    keys = ["_".join(map(str, path)) for path, _ in leaves] if keyed else []
    declared = [output.name for output in signature.outputs]
    _refuse_equal(signature, keys)
    if declared and keys:
        return _by_key(signature, declared, dict(zip(keys, tensors, strict=True)))
    if declared:
        if len(declared) != len(tensors):
            raise _wrong_number(signature, declared, tensors)
        _refuse_other_order(signature, declared, _own_names(model, signature, leaves))
        names = declared
    else:
        names = [legal_name(key) for key in keys] or _layer_names(model, signature, len(tensors))
    _refuse_equal(signature, names)
    return dict(zip(names, tensors, strict=True))


def _refuse_equal(signature: Signature, names: list[str]) -> None:
    if len(set(names)) != len(names):
        raise fail(
            ExitCode.SIGNATURE,
            f"signature {signature.name}: two outputs would have the same name: "
            f"{', '.join(names)}.",
            hint="Name them with `outputs`, or return other keys.",
        )


def _by_key(
    signature: Signature, declared: list[str], found: dict[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    if set(declared) == set(found):
        return {name: found[name] for name in declared}
    raise fail(
        ExitCode.SIGNATURE,
        f"signature {signature.name}: the model returns a dict with the keys "
        f"{', '.join(found)}; `outputs` declares {', '.join(declared)}.",
        hint="Declare the model's own keys, or leave `outputs` out.",
    )


def _leaves(
    result: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(result, Mapping):
        for key in sorted(result):
            yield from _leaves(result[key], (*path, str(key)))
    elif isinstance(result, tuple) and hasattr(result, "_fields"):
        for key in result._fields:
            yield from _leaves(getattr(result, key), (*path, str(key)))
    elif isinstance(result, (list, tuple)):
        for index, item in enumerate(result):
            yield from _leaves(item, (*path, index))
    else:
        yield path, result


def _tensor(signature: Signature, path: Path, leaf: Any) -> tf.Tensor:
    place = "".join(f"[{part!r}]" for part in path)
    problem = ""
    if leaf is None:
        problem = "is None"
    elif isinstance(leaf, (tf.RaggedTensor, tf.SparseTensor)):
        problem = f"is a {type(leaf).__name__}, which no artifact can return"
    else:
        try:
            return tf.convert_to_tensor(leaf)
        except (TypeError, ValueError):
            problem = f"is a {type(leaf).__name__}, not a tensor"
    raise fail(
        ExitCode.SIGNATURE,
        f"signature {signature.name}: the result{place} of `{signature.method}` {problem}.",
        hint="Return dense tensors only (`.to_tensor()`, `tf.sparse.to_dense`), or name another "
        "`method` that does.",
    )


def _wrong_number(
    signature: Signature, declared: list[str], tensors: list[tf.Tensor]
) -> CkptActionError:
    shown = ", ".join(f"{t.dtype.name}{t.shape}" for t in tensors) or "nothing"
    return fail(
        ExitCode.SIGNATURE,
        f"signature {signature.name} declares {len(declared)} outputs ({', '.join(declared)}); "
        f"`{signature.method}` returns {len(tensors)}: {shown}.",
        hint="Name every output, in this order.",
    )


def _own_names(model: Any, signature: Signature, leaves: list[tuple[Path, Any]]) -> list[str]:
    """The model's own name of each output: its nearest key, else its layer; may be empty."""
    keys = [[part for part in path if isinstance(part, str)] for path, _ in leaves]
    layers = _author_names(model, signature)
    if len(layers) != len(leaves):
        layers = [""] * len(leaves)
    return [legal_name(key[-1]) if key else name for key, name in zip(keys, layers, strict=True)]


def _refuse_other_order(signature: Signature, declared: list[str], own: list[str]) -> None:
    """A declared name that the model itself gives to an output elsewhere in the order."""
    if all(own.count(name) != 1 or own.index(name) == at for at, name in enumerate(declared)):
        return
    shown = [name or f"({place + 1})" for place, name in enumerate(own)]
    raise fail(
        ExitCode.SIGNATURE,
        f"signature {signature.name} declares the outputs {', '.join(declared)}; the model itself "
        f"returns {', '.join(shown)}, in this order.",
        hint="Declare its own names in its order, or leave `outputs` out.",
    )


def _layer_names(model: Any, signature: Signature, count: int) -> list[str]:
    """The output layers' names where the author chose them all, else by position."""
    names = [name for name in _author_names(model, signature) if name]
    if len(names) == count == len(set(names)):
        return names
    return [f"output_{index}" for index in range(count)]


def _author_names(model: Any, signature: Signature) -> list[str]:
    """Of each output of a graph model: its layer's name where the author chose it, else empty."""
    if signature.method != "__call__" or not is_graph_model(model):
        return []
    layers: list[Any] = [
        getattr(tensor, "_keras_history", (None,))[0] for tensor in tf.nest.flatten(model.outputs)
    ]
    return [legal_name(str(layer.name)) if _named_by_author(layer) else "" for layer in layers]


def _named_by_author(layer: Any) -> bool:
    """Keras' own names are the class in snake case and a count of what else was built."""
    if layer is None:
        return False
    words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", type(layer).__name__)
    automatic = re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
    return _COUNTED.sub("", layer.name) not in (automatic, f"tf.{automatic}")
