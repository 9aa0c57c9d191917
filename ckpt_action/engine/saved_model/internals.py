"""What the direct writer needs that TensorFlow does not promise to keep.

The same in TensorFlow 2.15 to 2.21. Where a version misses it, or is another one, `Indirect` lets
the caller take `tf.saved_model.save`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from ckpt_action.engine import internals

_TESTED = ((2, 15), (2, 21))
"""The oldest and the newest minor version that the direct writer was tested with."""


class Indirect(Exception):  # noqa: N818 - not an error: the caller has another way
    """Why this model is not written directly; completes "because ..."."""


@dataclass(frozen=True, kw_only=True)
class Internals:
    strip_defaults: Callable[[Any], None]
    """Takes attributes that have their default out of a MetaGraphDef: older versions, which may
    not know them, can read it then."""
    used_ops: Callable[[Any], Any]
    """The definitions of the ops that a GraphDef uses, as an OpList."""
    fingerprint: Callable[[str], bytes]
    """A FingerprintDef of the SavedModel in a folder."""
    variable_class: type[Any]
    """Of variables that have one handle and one value."""


def internals_of_tensorflow() -> Internals:
    """Raises Indirect."""
    version = tuple(int(part) for part in tf.__version__.split(".")[:2])
    if not _TESTED[0] <= version <= _TESTED[1]:
        raise Indirect(f"the direct writer was not tested with TensorFlow {tf.__version__}")
    if sys.byteorder != "little":
        raise Indirect("the values in functions have to be turned round on this machine")
    try:
        from tensorflow.python.framework.meta_graph import (
            strip_graph_default_valued_attrs,
            stripped_op_list_for_graph,
        )
    except ImportError as error:
        raise Indirect(f"TensorFlow {tf.__version__} lacks what it needs ({error})") from error
    fingerprint = fingerprint_maker()
    if fingerprint is None:
        raise Indirect(f"TensorFlow {tf.__version__} lacks what it needs (fingerprints)")
    variable_class = internals.resource_variable_class()
    if variable_class is None:
        raise Indirect(f"TensorFlow {tf.__version__} lacks the class of its variables")
    return Internals(
        strip_defaults=strip_graph_default_valued_attrs,
        used_ops=stripped_op_list_for_graph,
        fingerprint=fingerprint,
        variable_class=variable_class,
    )


def fingerprint_maker() -> Callable[[str], bytes] | None:
    """Takes a folder with a SavedModel; gives its FingerprintDef. None where TensorFlow keeps it
    to itself: a SavedModel may lack the file."""
    try:
        from tensorflow.python.saved_model.pywrap_saved_model.fingerprinting import (
            CreateFingerprintDef,
        )
    except ImportError:
        return None
    made: Callable[[str], bytes] = CreateFingerprintDef
    return made
