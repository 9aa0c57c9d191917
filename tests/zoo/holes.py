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
    code: str = "RESTORE"
    """Names of the exit codes with which they are refused; `|` separates several."""
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
WITH_OPTIMIZER = "with_*|averaged*|gan"
WITHOUT_OPTIMIZER = (
    "checkpoint_*|manager|root_found|several_parts|target_network|sharded|mirrored_*"
)
IN_CONTAINERS = (
    "layer_list|layer_dict|nested_lists|block_model|ensemble|mini_gpt|stacked_cells|unet_lists"
    "|weight_lists|anonymous_weights|standalone_subclass|raw_variables"
)

HOLES: tuple[Hole, ...] = (
    Hole(
        "Keras 3 saves no layer or variable that is held in a list, tuple or dict, and no weight "
        "that is no attribute, in TensorFlow's format: save again with "
        "model.save_weights('x.weights.h5')",
        world="*-keras3",
        saver=WITHOUT_OPTIMIZER,
        architecture=IN_CONTAINERS,
        code="RESTORE|CHECKPOINT",
    ),
    Hole(
        "what Keras 3 holds in a list, tuple or dict is saved below the optimizer alone, and what "
        "was not trained (batch statistics, bare variables) is not saved there either: save again "
        "with model.save_weights('x.weights.h5')",
        world="*-keras3",
        saver=WITH_OPTIMIZER,
        architecture="block_model|raw_variables|ensemble|unet_lists",
    ),
    Hole(
        "Keras 3 writes no bare tf.Variable of a layer into its weights files: make it with "
        "add_weight, and save again",
        world="*-keras3",
        saver="weights_h5",
        architecture="raw_variables",
    ),
    Hole(
        "Keras 2 stored the bare tf.Variables of a model by position or by a name that the "
        'attribute in Keras 3 does not tell: `keras = "2"` restores them',
        world=KERAS_2,
        saver="h5_weights|weights_h5",
        architecture="raw_variables",
        environment="keras-3",
    ),
    Hole(
        "hard_sigmoid means another function in each Keras, and the file does not tell who wrote "
        'it: say `keras = "2"` or `keras = "3"`',
        world="tf215-keras2",
        saver="weights_h5",
        architecture="hard_sigmoid|video",
        code="REBUILD",
    ),
    Hole(
        "hard_sigmoid means another function in Keras 3; in ConvLSTM2D it was the default of "
        'Keras 2: `keras = "2"` computes what was trained',
        world=KERAS_2,
        architecture="hard_sigmoid|video",
        environment="keras-3",
        code="REBUILD",
    ),
    Hole(
        "the architecture in the file is in the words of Keras 2, which Keras 3 reads in part: "
        '`keras = "2"` reads it, or an entry point that builds the model',
        world=KERAS_2,
        saver="keras_archive_alone|h5_whole_alone",
        environment="keras-3",
        partly=True,
        code="REBUILD",
    ),
    Hole(
        "Model.export of Keras 2 leaves the variables in a list, without the layers that "
        'they belong to: `keras = "2"` restores it',
        world=KERAS_2,
        saver="exported",
        environment="keras-3",
        partly=True,
    ),
    Hole(
        "a vocabulary learned with adapt is in no weights file and in no checkpoint of "
        "TensorFlow's format: give it in the code, or restore from a `.keras` file",
        saver=f"save_weights|weights_h5|{WITHOUT_OPTIMIZER}|{WITH_OPTIMIZER}",
        architecture="adapted_lookup",
    ),
    Hole(
        "a lookup table that was filled in training is in no weights file of Keras: save with "
        "tf.train.Checkpoint, or fill it in the code",
        saver="weights_h5|h5_weights",
        architecture="growing_layer",
    ),
)


ADVICE = {
    "counters_only": "build the model (call it once) before it is saved, and save again",
    "wrong_root": "write a part that the message lists as `root`, or leave `root` out",
    "target_network_undeclared": "name the part with `root`",
}
"""What to do about cases that were made to be refused, by the way of saving."""


def hole_for(case: dict[str, Any], environment: str) -> Hole | None:
    """Why the case may not restore there; None where it must, with the right numbers."""
    if case["refuse"]:
        empty = case["saver"] == "counters_only"
        reason = f"{case['refuse']}: {ADVICE[case['saver']]}"
        return Hole(reason, code="CHECKPOINT" if empty else "RESTORE")
    return next((hole for hole in HOLES if hole.covers(case, environment)), None)
