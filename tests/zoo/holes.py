"""What does not restore, and why: the only exceptions to "restored, with the right numbers"."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True)
class Hole:
    """Cases that must be refused. Every pattern is a shell pattern; `|` separates several."""

    reason: str
    world: str = "*"
    saver: str = "*"
    architecture: str = "*"
    environment: str = "*"
    partly: bool = False
    """Some of the cases restore nevertheless, and then with the right numbers."""

    def covers(self, case: dict[str, Any], environment: str) -> bool:
        return all(
            any(fnmatchcase(value, one) for one in pattern.split("|"))
            for value, pattern in (
                (case["world"], self.world),
                (case["saver"], self.saver),
                (case["architecture"], self.architecture),
                (environment, self.environment),
            )
        )


KERAS_2 = "*-keras2|*-tfkeras"
TENSORFLOW_FORMAT = (
    "checkpoint_*|manager|root_found|several_parts|target_network|gan|sharded|with_*|averaged*"
    "|mirrored_*"
)
IN_CONTAINERS = (
    "layer_list|layer_dict|nested_lists|block_model|ensemble|mini_gpt|stacked_cells|unet_lists"
    "|weight_lists|anonymous_weights|standalone_subclass|raw_variables"
)

HOLES: tuple[Hole, ...] = (
    Hole(
        "Keras 3 saves no layer or variable that is held in a list, tuple or dict, and no weight "
        "that is no attribute, in TensorFlow's format",
        world="*-keras3",
        saver=TENSORFLOW_FORMAT,
        architecture=IN_CONTAINERS,
    ),
    Hole(
        "Keras 3 writes no bare tf.Variable of a layer into its weights files",
        world="*-keras3",
        saver="weights_h5",
        architecture="raw_variables",
    ),
    Hole(
        "Keras 2 stored the bare tf.Variables of a model by position or by a name that the "
        "attribute in Keras 3 does not tell",
        world=KERAS_2,
        saver="h5_weights|weights_h5",
        architecture="raw_variables",
        environment="keras-3",
    ),
    Hole(
        "hard_sigmoid means another function in each Keras, and the file does not tell who wrote "
        "it: the user has to say",
        world="tf215-keras2",
        saver="weights_h5",
        architecture="hard_sigmoid|video",
    ),
    Hole(
        "hard_sigmoid means another function in Keras 3; in ConvLSTM2D it was the default of "
        "Keras 2",
        world=KERAS_2,
        architecture="hard_sigmoid|video",
        environment="keras-3",
    ),
    Hole(
        "the architecture in the file is in the words of Keras 2, which Keras 3 reads in part",
        world=KERAS_2,
        saver="keras_archive_alone|h5_whole_alone",
        environment="keras-3",
        partly=True,
    ),
    Hole(
        "Model.export of Keras 2 leaves the variables in a list, without the layers that "
        "they belong to",
        world=KERAS_2,
        saver="exported",
        environment="keras-3",
        partly=True,
    ),
    Hole(
        "a vocabulary learned with adapt is in no weights file and in no checkpoint of "
        "TensorFlow's format",
        saver=f"save_weights|weights_h5|{TENSORFLOW_FORMAT}",
        architecture="adapted_lookup",
    ),
    Hole(
        "h5py stores bfloat16 as opaque bytes, which do not tell their type",
        saver="h5_*|weights_h5|keras_archive*|weights_json",
        architecture="half_weights",
        partly=True,
    ),
    Hole(
        "the early `.weights.h5` holds the model's metrics without saying so",
        world="tf213-keras2",
        saver="weights_h5",
        architecture="autoencoder",
    ),
    Hole("the V1 format is not supported", saver="v1_format", architecture="tf1"),
    Hole(
        "the names of a TF1 session lack the name of the Keras 3 model",
        saver="by_name_keras",
        architecture="tf1",
        environment="keras-3",
    ),
)


def hole_for(case: dict[str, Any], environment: str) -> Hole | None:
    """Why the case may not restore there; None where it must, with the right numbers."""
    if case["refuse"]:
        return Hole(case["refuse"])
    return next((hole for hole in HOLES if hole.covers(case, environment)), None)
