"""Graph models of Keras 3 that have not made all their variables yet."""

from __future__ import annotations

from typing import Any

from ckpt_action.engine.keras_versions import is_graph_model, loaded_keras
from ckpt_action.engine.objects import walk


def has_unbuilt(model: Any) -> bool:
    """Whether a layer inside a layer of this graph model still has to make its variables.

    Keras 3 does not call a layer to build the graph where the layer has `compute_output_shape`.
    """
    keras = loaded_keras(3)
    if keras is None or not isinstance(model, keras.Model):
        return False
    return any(
        has_unbuilt(layer) if is_graph_model(layer) else _is_unbuilt(layer, keras)
        for layer in model.layers
    )


def _is_unbuilt(layer: Any, keras: Any) -> bool:
    """Layers that make nothing in `build` are built or not, as it happens."""
    own = type(layer).__module__.split(".")[0] == "keras"
    if own and not isinstance(layer, (keras.layers.Wrapper, keras.layers.RNN)):
        return False
    base = keras.layers.Layer
    return any(
        isinstance(item, base) and not item.built and type(item).build is not base.build
        for _, item in walk(layer)
    )
