"""What Keras 3 does not save as part of the model: list-held layers lie below the optimizer alone,
and stateful layers carry states that no model needs."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from restoring import fresh, output, refusal, restored

layers = keras.layers


class Blocks(keras.Model):
    def __init__(self, count=2, *, turned=False, normed=False):
        super().__init__()
        names = [f"block_{number}" for number in range(count)]
        names = ["right", "left"] if turned else ["left", "right", *names][:count]
        self.blocks = [layers.Dense(6, activation="tanh", name=name) for name in names]
        self.norms = [layers.BatchNormalization()] if normed else []
        self.out = layers.Dense(2)

    def call(self, x, training=False):
        for block in self.blocks:
            x = block(x)
        for norm in self.norms:
            x = norm(x, training=training)
        return self.out(x)


def made(**options):
    fresh()
    model = Blocks(**options)
    model(tf.zeros((1, 6)))
    return model


def saved(path, optimizer="Adam", **options):
    model = made(**options)
    rng = np.random.default_rng(3)
    for variable in model.variables:
        variable.assign(rng.normal(0.5, 0.2, variable.shape))
    trainer = getattr(keras.optimizers, optimizer)()
    trainer.build(model.trainable_variables)
    tf.train.Checkpoint(model=model, optimizer=trainer).write(path)
    return output(model, "functional")


@pytest.mark.parametrize("optimizer", ["Adam", "SGD"])
def test_layers_in_a_list_are_found_below_the_optimizer(optimizer, tmp_path):
    golden = saved(tmp_path / "ck", optimizer)
    model = made()
    found = restored(model, tmp_path / "ck")
    np.testing.assert_array_equal(output(model, "functional"), golden)
    assert found.binding.bound == 6
    # Only the slots of Adam keep the names of the layers.
    twins = [p for p in found.problems if "only the order of the code" in p.message]
    assert len(twins) == (optimizer == "SGD")


def test_names_of_slots_speak_against_another_order(tmp_path):
    saved(tmp_path / "ck")
    problem = refusal(made(turned=True), tmp_path / "ck")
    assert "may be swapped" in problem.message


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_block_more_or_less_is_refused(count, tmp_path):
    """With no block at all, everything that the model has is bound; the blocks are unused."""
    saved(tmp_path / "ck")
    problem = refusal(made(count=count), tmp_path / "ck")
    assert any("optimizer/_trainable_variables/0" in line for line in problem.details)


def test_what_was_not_trained_is_in_no_list(tmp_path):
    saved(tmp_path / "ck", normed=True)
    problem = refusal(made(normed=True), tmp_path / "ck")
    assert "8 of 10 variables" in problem.message
    assert "Keras 3 never saved their values" in problem.message


def test_the_part_that_an_optimizer_saved_does_not_stand_for_its_average(tmp_path):
    """The optimizer's list has the raw weights, those of the averaged copy are nowhere."""
    model, average = made(), made()
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    checkpoint = tf.train.Checkpoint(generator=model, average=average, optimizer=optimizer)
    checkpoint.write(tmp_path / "ck")
    problem = refusal(made(), tmp_path / "ck", root="average")
    assert "Keras 3 never saved their values" in problem.message
    assert "Another part of the checkpoint is whole: 'generator'" in problem.message


@pytest.mark.parametrize("optimizer", [False, True])
@pytest.mark.parametrize(("stateful", "batch"), [(True, 1), (True, 5), (False, None)])
def test_states_of_recurrent_layers_are_not_restored(optimizer, stateful, batch, tmp_path):
    def text(batch, *, stateful):
        fresh()
        cells = (layers.GRU, layers.LSTM)
        recurrent = [cell(4, stateful=stateful, return_sequences=True) for cell in cells]
        given = keras.Input((None,), batch_size=batch, dtype="int32")
        return keras.Sequential([given, layers.Embedding(9, 3), *recurrent, layers.Dense(9)])

    trained = text(5, stateful=True)
    trained(np.ones((5, 7), "int32"))
    parts = {"model": trained}
    if optimizer:
        parts["optimizer"] = keras.optimizers.Adam()
        parts["optimizer"].build(trained.trainable_variables)
    tf.train.Checkpoint(**parts).write(tmp_path / "ck")
    model = text(batch, stateful=stateful)
    found = restored(model, tmp_path / "ck")
    assert found.binding.bound == 9
    (note,) = (n for n in found.binding.notes if "carried over" in n)
    assert "_operations/2/states/0" in note
    bound = {v.path.split("/", 1)[-1] for v in found.variables if v.source}
    assert not any("state" in path for path in bound)
    for one, other in zip(trained.trainable_variables, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_a_learned_first_state_is_a_weight(tmp_path):
    class Learned(layers.Layer):
        def build(self, _):
            self.cell = layers.GRUCell(4)
            self.cell.build((None, 3))
            self.states = self.add_weight(shape=(1, 4), name="first")

    fresh()
    model = keras.Sequential([keras.Input((2, 3)), Learned()])
    tf.train.Checkpoint(model).write(tmp_path / "ck")

    class Without(layers.Layer):
        def build(self, _):
            self.cell = layers.GRUCell(4)
            self.cell.build((None, 3))

    fresh()
    assert refusal(keras.Sequential([keras.Input((2, 3)), Without()]), tmp_path / "ck")
