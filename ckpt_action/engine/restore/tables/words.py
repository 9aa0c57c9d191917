"""The words of lookup layers: compared with a table of a checkpoint, and taken from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from ckpt_action.engine.restore.model.lookup_tables import (
    Content,
    content,
    is_lookup_layer,
    place,
    stored_content,
)
from ckpt_action.engine.restore.records import Source, Value
from ckpt_action.errors import CkptActionError, ExitCode, Problem, fail


def agree(table: Any, layer: Any | None, stored: Mapping[str, str]) -> bool:
    """Whether `table`, that of `layer` if one has it, answers what the stored one answered.

    Until TensorFlow 2.5 a layer had its words for "none" and "unknown" in the table too.
    """
    held = content(table)
    if not held or layer is None:
        return held == stored
    return held.items() <= stored.items() <= (_special(layer) | held).items()


def difference(table: Any, stored: Mapping[str, str]) -> str:
    """The first one, in words."""
    held = content(table)
    if not held:
        return f"none instead of {len(stored)}"
    if not stored:
        return f"{len(held)} instead of none"
    keys = sorted(key for key in held.keys() | stored.keys() if held.get(key) != stored.get(key))
    there, here = (_shown(side.get(keys[0])) for side in (stored, held))
    return (
        f"{len(held)} instead of {len(stored)}, and {_shown(keys[0])} is {here} in the code and "
        f"{there} in the checkpoint"
    )


def give_words(vocabularies: Iterable[tuple[Any, Mapping[str, Value]]], source: Source) -> None:
    """Let each layer have the words of its table; raises RESTORE where it cannot, or would answer
    otherwise."""
    problems = []
    for layer, stored in vocabularies:
        wanted = stored_content(stored, source)
        try:
            layer.set_vocabulary(_words(layer, stored, source))
            cause = (
                "" if agree(layer.lookup_table, layer, wanted) else "it gives them other numbers"
            )
        except (ValueError, RuntimeError, TypeError, AttributeError, tf.errors.OpError) as error:
            cause = str(error)
        if cause:
            problems.append(
                Problem(
                    code=ExitCode.RESTORE,
                    message=f"The lookup layer {layer.name} cannot have the words of the "
                    f"checkpoint's table {place(stored)}: {cause}.",
                    hint="Give the layer the arguments of the training (`num_oov_indices`, "
                    "`mask_token`, `oov_token`, `max_tokens`, `output_mode`), or its words in the "
                    "code (`vocabulary=`).",
                )
            )
    if problems:
        raise CkptActionError(*problems)


def copy_words(source: Iterable[Any], to: Iterable[Any], given: Iterable[Any]) -> None:
    """Let the layers of a second model have the words that those of the first were given; raises
    REBUILD where it looks words up in other layers."""
    taken = {id(layer) for layer in given}
    if not taken:
        return
    first, second = ([one for one in side if is_lookup_layer(one)] for side in (source, to))
    if [type(one) for one in first] != [type(one) for one in second]:
        raise fail(
            ExitCode.REBUILD,
            "the code makes other lookup layers a second time: "
            f"{', '.join(one.name for one in second) or 'none'} instead of "
            f"{', '.join(one.name for one in first)}.",
            hint="Make every layer where the entry point makes the model.",
        )
    for one, other in zip(first, second, strict=True):
        if id(one) in taken:
            other.set_vocabulary(one.get_vocabulary())


def _words(layer: Any, stored: Mapping[str, Value], source: Source) -> list[str | int]:
    """In the order of their numbers."""
    words, numbers = (source.read(stored[part].key).tolist() for part in ("keys", "values"))
    if layer.invert:
        words, numbers = numbers, words
    ordered = [word for _, word in sorted(zip(numbers, words, strict=True))]
    return [word.decode() if isinstance(word, bytes) else word for word in ordered]


def _special(layer: Any) -> Content:
    """What the layer answers beside its table; where it hashes unknown words, not for those."""
    words = layer.get_vocabulary()
    count = len(words) - len(layer.get_vocabulary(include_special_tokens=False))
    if layer.num_oov_indices > 1:
        count -= layer.num_oov_indices
    found = {}
    for number, word in enumerate(words[:count]):
        plain = word.encode() if isinstance(word, str) else int(word)
        pair = (number, plain) if layer.invert else (plain, number)
        found[repr(pair[0])] = repr(pair[1])
    return found


def _shown(text: str | None) -> str:
    if text is None:
        return "absent"
    return text.removeprefix("b") if text.startswith(("b'", 'b"')) else text
