"""Where each variable lies in the saved object, and the key of its value in `variables/`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ckpt_action.engine.records import ModelVariable

ROOT = "model"
"""The attribute of the saved object that holds all variables."""

VALUE = "VARIABLE_VALUE"

Tree = dict[str, Any]
"""Part of a path to the variable there, or to the tree below it."""


def variable_tree(variables: Iterable[ModelVariable]) -> tuple[Tree, dict[str, str]]:
    """The variables nested by the parts of their paths, and checkpoint key to path.

    The keys of the written checkpoint are the paths. A path that another variable has too, or
    that is the beginning of another, gets `_` behind its last part.
    """
    tree: Tree = {}
    keys: dict[str, str] = {}
    for variable in sorted(variables, key=lambda v: v.path.count("/"), reverse=True):
        *parents, leaf = (part or "_" for part in variable.path.split("/"))
        level = tree
        for part in parents:
            level = level.setdefault(part, {})
        while leaf in level:
            leaf += "_"
        level[leaf] = variable.variable
        keys[checkpoint_key((*parents, leaf))] = variable.path
    return tree, dict(sorted(keys.items()))


def leaves(tree: Tree, parents: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """(place, variable) of all variables in the tree."""
    for part, below in tree.items():
        if isinstance(below, dict):
            yield from leaves(below, (*parents, part))
        else:
            yield (*parents, part), below


def checkpoint_key(place: tuple[str, ...]) -> str:
    """As TensorFlow makes it of the names of attributes that lead there."""
    names = [ROOT, *(part.replace(".", "..") for part in place)]
    return "/".join(names) + f"/.ATTRIBUTES/{VALUE}"
