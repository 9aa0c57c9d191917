"""What the values of a TF1 checkpoint are for: names are all that it knows.

An optimizer stores its slots as `<variable>/<its name>`, numbered where it has several, in the
shape of the variable; below the scope that was open, if `minimize` was called in one. Source:
tensorflow/python/training/slot_creator.py.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

Shapes = Mapping[str, tuple[int, ...]]

_SLOT = re.compile(
    r"(Adam|AdamW|AdaMax|Nadam|RAdam|Momentum|MomentumW|RMSProp|Adagrad|AdagradDA|ProximalAdagrad"
    r"|Adadelta|Ftrl|AddSign|PowerSign|LARSOptimizer|ExponentialMovingAverage)(_\d+)?|adam_[mv]"
)
"""TensorFlow's optimizers and averages, those of contrib, and BERT's own."""
_FACTORED = re.compile(r"(?P<owner>.+)(/Adafactor(_\d+)?|_slot_(vr|vc|v|m))")
"""Adafactor of tensor2tensor and of Mesh TensorFlow (T5): means over the rows and the columns of a
variable, below its name or right behind it."""
_POWER = re.compile(r"beta[12]_power(_\d+)?")
_GENERIC = 2
"""Variables at least that must have a value of an unknown name before that counts as a slot."""


def optimizer_state(shapes: Shapes, trained: Collection[str] = ()) -> frozenset[str]:
    """The keys that hold state of an optimizer, or moving averages.

    Known by the names that TensorFlow gives. A name of the user's own is believed where each of
    the `trained` variables has a value of that name below it.
    """
    found = {key for key in shapes if _is_known(key, shapes)}
    owners: dict[str, set[str]] = defaultdict(set)
    for key in shapes.keys() - found:
        owner, _, leaf = key.rpartition("/")
        if shapes.get(owner) == shapes[key]:
            owners[re.sub(r"_\d+$", "", leaf)].add(owner)
    wanted = set(trained)
    own = {leaf for leaf, of in owners.items() if len(wanted) >= _GENERIC and wanted <= of}
    return frozenset(found | set(_slots_called(own, shapes)))


def _is_known(key: str, shapes: Shapes) -> bool:
    owner, _, leaf = key.rpartition("/")
    if _POWER.fullmatch(leaf):
        return shapes[key] == ()
    if factored := _FACTORED.fullmatch(key):
        of = shapes.get(factored["owner"])
        return of is not None and shapes[key] in (of, of[:-1], of[:-2] + of[-1:])
    if not _SLOT.fullmatch(leaf):
        return False
    parts = owner.split("/")
    below = ("/".join(parts[start:]) for start in range(len(parts)))
    return any(shapes.get(name) == shapes[key] for name in below)


def _slots_called(names: Collection[str], shapes: Shapes) -> Iterator[str]:
    for key, shape in shapes.items():
        owner, _, leaf = key.rpartition("/")
        if re.sub(r"_\d+$", "", leaf) in names and shapes.get(owner) == shape:
            yield key
