"""Files that the installed Keras 3 writes, in every way it has."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from architectures import BUILDERS, build, shake
from restoring import fresh, output, refusal, restored


def trained(name):
    """(the model as after training, its output)."""
    keras = fresh()
    model = build(name, keras)
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    shake(model)
    return model, output(model, name)


def restores(name, path, golden, **expected):
    model = build(name, fresh())
    found = restored(model, path)
    np.testing.assert_allclose(output(model, name), golden, rtol=1e-5, atol=1e-6)
    assert found.binding.bound == len(model.weights)
    for key, value in expected.items():
        assert getattr(found.binding, key) == value
    return found


@pytest.mark.parametrize("name", [n for n in BUILDERS if n != "subclassed"])
def test_checkpoints(name, tmp_path):
    model, golden = trained(name)
    tf.train.Checkpoint(net=model, optimizer=model.optimizer).save(tmp_path / "ck")
    tf.train.Checkpoint(model).write(tmp_path / "root")
    restores(name, tmp_path / "ck-1", golden, root="net", route="object graph")
    restores(name, tmp_path / "root", golden, root="", route="object graph")


@pytest.mark.parametrize("name", BUILDERS)
def test_weights_files(name, tmp_path):
    model, golden = trained(name)
    model.save_weights(tmp_path / "a.weights.h5")
    restores(name, tmp_path / "a.weights.h5", golden, route="keras weights")
    if name != "subclassed":
        model.save(tmp_path / "a.keras")
        restores(name, tmp_path / "a.keras", golden, route="keras weights")


def test_sharded_weights(tmp_path):
    model, golden = trained("attention")
    model.save_weights(tmp_path / "a.weights.json", max_shard_size=5e-7)
    assert len(list(tmp_path.glob("*.h5"))) > 1
    restores("attention", tmp_path / "a.weights.json", golden, route="keras weights")


@pytest.mark.filterwarnings("ignore:.*HDF5")
@pytest.mark.parametrize("name", ["functional", "nested", "recurrent"])
def test_legacy_hdf5(name, tmp_path):
    model, golden = trained(name)
    model.save(tmp_path / "a.h5")
    restores(name, tmp_path / "a.h5", golden, route="order of layers")


@pytest.mark.parametrize("name", ["functional", "subclassed"])
def test_exported_saved_model(name, tmp_path):
    model, golden = trained(name)
    model.export(tmp_path / "sm", verbose=False)
    restores(name, tmp_path / "sm", golden, route="order of variables")


def test_layers_in_a_list_that_keras_3_never_saved(tmp_path):
    model = build("subclassed", fresh())
    tf.train.Checkpoint(model=model).write(tmp_path / "ck")
    problem = refusal(build("subclassed", fresh()), tmp_path / "ck")
    assert "Keras 3 never saved their values" in problem.message
    assert "save_weights('x.weights.h5')" in problem.hint
    assert any("blocks/0/factor" in line and line.startswith("<") for line in problem.details)


def test_frozen_layers_change_the_order_of_a_legacy_file(tmp_path):
    def model(*, frozen):
        keras = fresh()
        i = keras.Input((4,))
        inner = keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(4), keras.layers.BatchNormalization(),
             keras.layers.Dense(4), keras.layers.BatchNormalization()]
        )  # fmt: skip
        inner.trainable = not frozen
        return keras.Model(i, keras.layers.Dense(2)(inner(i)))

    saved = model(frozen=True)
    shake(saved)
    from keras.src.legacy.saving import legacy_h5_format

    legacy_h5_format.save_model_to_hdf5(saved, str(tmp_path / "x.h5"))
    x = np.random.RandomState(0).normal(size=(3, 4)).astype("float32")
    for frozen in (True, False):
        rebuilt = model(frozen=frozen)
        restored(rebuilt, tmp_path / "x.h5")
        np.testing.assert_allclose(rebuilt(x, training=False), saved(x, training=False), rtol=1e-6)


def test_states_that_no_checkpoint_holds(tmp_path):
    def model(batch):
        keras = fresh()
        return keras.Sequential(
            [keras.Input((3, 2), batch_size=batch), keras.layers.LSTM(2, stateful=True)]
        )

    tf.train.Checkpoint(model=model(4)).write(tmp_path / "ck")
    rebuilt = model(1)
    binding = restored(rebuilt, tmp_path / "ck").binding
    assert len(binding.state) == 3
    assert sum("states" in path for path in binding.state) == 2
    assert not any(np.isnan(np.asarray(v)).any() for v in rebuilt.variables)


def test_constants_that_normalization_keeps_are_computed_again(tmp_path):
    keras = fresh()
    saved = keras.Sequential([keras.Input((2,)), keras.layers.Normalization()])
    saved.layers[0].adapt(np.array([[1.0, 5.0], [3.0, 9.0]], "float32"))
    tf.train.Checkpoint(model=saved).write(tmp_path / "ck")
    rebuilt = fresh().Sequential([keras.Input((2,)), keras.layers.Normalization()])
    restored(rebuilt, tmp_path / "ck")
    np.testing.assert_allclose(rebuilt(np.array([[3.0, 9.0]], "float32")), [[1.0, 1.0]], rtol=1e-5)
