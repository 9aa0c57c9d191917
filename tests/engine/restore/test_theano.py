"""Legacy files of Keras on Theano, whose kernels are turned in space."""

from __future__ import annotations

import h5py
import keras
import pytest
from restoring import fresh, refusal, restored

layers = keras.layers
pytestmark = pytest.mark.filterwarnings("ignore:.*HDF5")


def network(size):
    fresh()
    convolution = [layers.Conv2D(2, size), layers.Flatten()] if size else [layers.Flatten()]
    return keras.Sequential([layers.Input((3, 3, 2)), *convolution, layers.Dense(2)])


def written_on(backend, size, path):
    network(size).save(path)
    with h5py.File(path, "a") as file:
        for group in (file, file["model_weights"]):
            group.attrs["backend"] = backend
            group.attrs["keras_version"] = b"2.1.6"
    return path


@pytest.mark.parametrize("backend", ["theano", b"theano"])
def test_turned_kernels_are_refused(tmp_path, backend):
    path = written_on(backend, 2, tmp_path / "saved.h5")
    problem = refusal(network(2), path)
    assert "Theano" in problem.message
    assert "turned in space (" in problem.message
    assert "KERAS_BACKEND=tensorflow" in problem.hint
    assert len(problem.details) == 1


@pytest.mark.parametrize(("backend", "size"), [("theano", 1), ("theano", 0), ("tensorflow", 2)])
def test_what_is_not_turned_is_restored(tmp_path, backend, size):
    path = written_on(backend, size, tmp_path / "saved.h5")
    assert restored(network(size), path).binding.bound == (4 if size else 2)
