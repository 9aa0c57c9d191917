"""Layers of the user's own that read Keras' files themselves."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from restoring import fresh, restored

from ckpt_action.errors import CkptActionError

FORMS = ["keras", "weights.h5"]


class Kernel(keras.layers.Layer):
    """`turned`: files hold the kernel transposed."""

    turned, fails = False, False

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], shape[-1]), name="kernel")

    def call(self, x):
        return x @ self.kernel

    def save_own_variables(self, store):
        store["kernel"] = self.kernel

    def load_own_variables(self, store):
        if self.fails:
            raise KeyError("scale")
        self.kernel.assign(store["kernel"][:].T if self.turned else store["kernel"])


@keras.saving.register_keras_serializable()
class Square(Kernel):
    """`words`: what `load_assets` reads; `nudges`: it changes a variable too."""

    words, nudges = "", False

    def save_assets(self, folder):
        Path(folder, "deep").mkdir()
        Path(folder, "deep", "words.txt").write_text("of the training")

    def load_assets(self, folder):
        self.words = Path(folder, "deep", "words.txt").read_text()
        if self.nudges:
            self.kernel.assign_add(self.kernel)


def model(layer=None, **attributes):
    fresh()
    layer = layer or Square(name="square")
    for name, value in attributes.items():
        setattr(layer, name, value)
    x = keras.Input((3,))
    return keras.Model(x, keras.layers.Dense(2)(layer(x)))


def saved(form, folder):
    made, path = model(), folder / f"m.{form}"
    (made.save if form == "keras" else made.save_weights)(path)
    return made, path


@pytest.mark.parametrize("form", FORMS)
def test_what_is_read_as_it_is_stored_is_restored(form, tmp_path):
    made, path = saved(form, tmp_path)
    rebuilt = model()
    assert restored(rebuilt, path).binding.bound == 3
    np.testing.assert_array_equal(rebuilt.weights[0], made.weights[0])


@pytest.mark.parametrize("form", FORMS)
def test_another_value_than_the_stored_one_is_refused(form, tmp_path):
    _, path = saved(form, tmp_path)
    with pytest.raises(CkptActionError, match=r"square .*Square\) makes another value of .*kernel"):
        restored(model(turned=True), path)


def test_code_that_does_not_read_the_file_is_refused(tmp_path):
    _, path = saved("weights.h5", tmp_path)
    with pytest.raises(CkptActionError, match=r"failed on what the file holds .*KeyError: 'scale'"):
        restored(model(fails=True), path)


def test_files_of_a_layer_are_read_by_it(tmp_path):
    _, path = saved("keras", tmp_path)
    rebuilt = model()
    restored(rebuilt, path)
    assert rebuilt.get_layer("square").words == "of the training"


def test_files_that_change_a_variable_are_refused(tmp_path):
    _, path = saved("keras", tmp_path)
    with pytest.raises(CkptActionError, match="changes variables after they were restored"):
        restored(model(nudges=True), path)


def test_files_that_no_layer_reads_are_refused(tmp_path):
    _, path = saved("keras", tmp_path)

    square = type("Square", (Kernel,), {})
    with pytest.raises(CkptActionError, match=r"deep/words.txt, and no layer of the model reads"):
        restored(model(square()), path)
