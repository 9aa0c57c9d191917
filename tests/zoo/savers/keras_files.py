"""Keras' own files: legacy HDF5, `.weights.h5`, `.keras`, `.weights.json`."""

from __future__ import annotations

from savers.optimizers import train
from savers.registry import CannotSaveError, Saved, Subject, saver, tf_version


@saver(kerases=(2,), wide=True)
def h5_weights(subject: Subject) -> Saved:
    subject.model.save_weights(str(subject.folder / "model.h5"))
    return Saved("model.h5")


@saver(kerases=(2,))
def h5_without_extension(subject: Subject) -> Saved:
    subject.model.save_weights(str(subject.folder / "weights"), save_format="h5")
    return Saved("weights")


@saver(kerases=(2,))
def h5_mislabelled(subject: Subject) -> Saved:
    """What TensorFlow 2.11 and before wrote to a file of this name."""
    subject.model.save_weights(str(subject.folder / "legacy.h5"))
    (subject.folder / "legacy.h5").rename(subject.folder / "model.weights.h5")
    return Saved("model.weights.h5")


@saver()
def h5_whole(subject: Subject) -> Saved:
    """Architecture, weights and optimizer in one file, restored into the code's model."""
    subject.model.compile(optimizer="adam", loss="mse")
    train(subject.model, subject.model.optimizer)
    _whole(subject, "model_weights.h5")
    return Saved("model_weights.h5")


@saver()
def h5_whole_alone(subject: Subject) -> Saved:
    """The same without any code."""
    _whole(subject, "model.h5")
    return Saved("model.h5", from_file=True)


def _whole(subject: Subject, name: str) -> None:
    if not getattr(subject.model, "_is_graph_network", False) and not hasattr(
        subject.model, "_functional"
    ):
        raise CannotSaveError("a subclassed model has no whole-model HDF5 file")
    subject.model.save(str(subject.folder / name))


@saver(wide=True)
def weights_h5(subject: Subject) -> Saved:
    subject.model.save_weights(str(subject.folder / "model.weights.h5"))
    return Saved("model.weights.h5")


@saver()
def keras_archive(subject: Subject) -> Saved:
    subject.model.save(str(subject.folder / "model.keras"))
    return Saved("model.keras")


@saver()
def keras_archive_compiled(subject: Subject) -> Saved:
    subject.model.compile(optimizer="adam", loss="mse")
    train(subject.model, subject.model.optimizer)
    subject.model.save(str(subject.folder / "model.keras"))
    return Saved("model.keras")


@saver(wide=True)
def keras_archive_alone(subject: Subject) -> Saved:
    """No code: the architecture in the archive."""
    custom = [
        layer for layer in subject.model._flatten_layers() if "architectures" in _module(layer)
    ]
    if custom:
        raise CannotSaveError("custom classes cannot be read without their code")
    subject.model.save(str(subject.folder / "model.keras"))
    return Saved("model.keras", from_file=True)


def _module(layer) -> str:
    return type(layer).__module__


@saver(kerases=(3,))
def weights_json(subject: Subject) -> Saved:
    """A sharded file, with a shard size (in GB) small enough to make several."""
    version = tuple(int(part) for part in subject.keras.__version__.split(".")[:2])
    if version < (3, 10):
        raise CannotSaveError("sharded weights came with Keras 3.10")
    subject.model.save_weights(str(subject.folder / "w.weights.json"), max_shard_size=5e-7)
    return Saved("w.weights.json")


@saver(kerases=(2,))
def weights_h5_of_2_13(subject: Subject) -> Saved:
    """The early layout: `.weights.h5` and `.keras` of TensorFlow 2.12 and 2.13."""
    if tf_version() > (2, 13):
        raise CannotSaveError("the early layout ended with TensorFlow 2.13")
    subject.model.save(str(subject.folder / "early.keras"), save_format="keras")
    return Saved("early.keras")
