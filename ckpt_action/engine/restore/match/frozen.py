"""Whether a legacy file has its weights in the order that freezing parts of a model leads to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from ckpt_action.engine.keras_versions import keras_family
from ckpt_action.engine.objects import walk
from ckpt_action.engine.restore.records import LiveVariable, Value


def was_frozen(
    layer: Any,
    order: Sequence[LiveVariable],
    named: Mapping[str, LiveVariable],
    values: Sequence[Value],
) -> bool:
    """Whether `values` lie in the file as they would with some parts of `layer` frozen: what was
    trained comes first, then the others, and each of both is in the `order` of the layers.

    `named`: the variable of each value by its recorded name. Names that Keras counted (`dense_1`)
    do not tell this from layers that were created in another order, so all have to be chosen.
    """
    kinds = {type(part).__name__.lower() for _, part in walk(layer) if keras_family(part)}
    names = {live.path.rpartition("/")[0].rpartition("/")[2] for live in order}
    if kinds & {re.sub(r"_\d+$", "", name).replace("_", "") for name in names}:
        return False
    places = {id(live): place for place, live in enumerate(order)}
    found = [places[id(named[value.key])] for value in values]
    return sum(one > other for one, other in pairwise(found)) <= 1
