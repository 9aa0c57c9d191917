"""What does not fit is refused, with both sides and the likely cause."""

from __future__ import annotations

import keras
import pytest
import tensorflow as tf
from architectures import build, shake
from restoring import DATA, fresh, refusal, restored

layers = keras.layers


def changed(what):
    """`architectures.functional` after a change of the code."""
    fresh()
    inputs = layers.Input((6,))
    x = layers.Dense(5, activation="relu")(inputs)
    if what == "extra layer":
        x = layers.Dense(5)(x)
    if what != "lost layer":
        x = layers.BatchNormalization()(x)
    last = layers.Dense(3 if what == "units" else 2, use_bias=what != "lost bias")
    return keras.Model(inputs, last(x))


CHANGES = {
    "extra layer": ("2 variables that the checkpoint does not hold", "allow-missing", 2, 0, 0),
    "lost layer": ("4 values that the model has no place for", "allow-unused", 0, 4, 0),
    "lost bias": ("1 value that the model has no place for", "allow-unused", 0, 1, 0),
    "units": ("2 variables of another shape", "number of units", 0, 0, 2),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    model = build("functional", fresh())
    shake(model)
    model.save_weights(folder / "k3.weights.h5")
    tf.train.Checkpoint(model=model).write(folder / "k3")
    kept = ("ck-1", "w", "w.weights.h5", "legacy.h5")
    return [folder / "k3.weights.h5", folder / "k3", *(DATA / "functional" / f for f in kept)]


@pytest.mark.parametrize("what", CHANGES)
def test_changed_code(what, files):
    cause, hint, only_model, only_checkpoint, other = CHANGES[what]
    for file in files:
        problem = refusal(changed(what), file)
        assert cause in problem.message, file
        assert hint in problem.hint
        marks = [line[:1] for line in problem.details[:-1]]
        assert marks.count("<") == only_model
        assert marks.count(">") == only_checkpoint
        assert marks.count("!") == other


def test_a_dropout_more_or_less_changes_nothing(files):
    for file in files:
        assert restored(changed("nothing"), file).binding.bound == 8


def test_every_mismatch_is_listed_with_both_sides():
    problem = refusal(changed("units"), DATA / "functional" / "w")
    assert "6 of 8 variables" in problem.message
    rows = [" ".join(line.split()) for line in problem.details]
    assert "= 6 equal" in rows
    assert "! dense_1/kernel [5, 3] float32 layer_with_weights-2/kernel [5, 2] float32" in rows


def test_another_model():
    problem = refusal(build("recurrent", fresh()), DATA / "functional" / "w")
    assert "another model" in problem.message


def test_another_root():
    model = build("functional", fresh())
    problem = refusal(model, DATA / "functional" / "ck-1", root="optimizer")
    assert "fits 'model'" in problem.message


@pytest.mark.parametrize("file", ["ck-1", "w", "legacy.h5"])
def test_swapped_branches_of_equal_shape(file):
    fresh()
    inputs = layers.Input((4,))
    right = layers.Dense(4, activation="tanh")(inputs)
    left = layers.Dense(4, activation="tanh")(inputs)
    left = layers.Dense(4, activation="tanh")(left)
    model = keras.Model(inputs, layers.Add()([left, right]))
    problem = refusal(model, DATA / "branches" / file)
    assert "may be swapped" in problem.message
    assert any("saved as dense" in line for line in problem.details)


def test_a_renamed_attribute(tmp_path):
    class Net(tf.Module):
        def __init__(self, name):
            super().__init__()
            setattr(self, name, tf.Variable(tf.ones((3, 4))))
            self.bias = tf.Variable(tf.ones(4))

    tf.train.Checkpoint(net=Net("encoder")).write(tmp_path / "ck")
    problem = refusal(Net("enc"), tmp_path / "ck", root="net")
    assert "1 variable of another name" in problem.message
    rows = [" ".join(line.split()) for line in problem.details]
    assert "~ enc [3, 4] float32 net/encoder [3, 4] float32" in rows


def with_head(attribute, *, units=2):
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.body = layers.Dense(3)
            setattr(self, attribute, layers.Dense(units))

        def call(self, x):
            return getattr(self, attribute)(self.body(x))

    model = Net()
    model(tf.zeros((1, 5)))
    return model


@pytest.mark.parametrize("file", ["ck", "w.weights.h5"])
def test_the_model_is_shown_by_the_attributes_of_its_code(file, tmp_path):
    saved = with_head("head")
    tf.train.Checkpoint(model=saved).write(tmp_path / "ck")
    saved.save_weights(tmp_path / "w.weights.h5")
    stored = {"ck": "model/head/_kernel", "w.weights.h5": "head/vars/0"}[file]

    problem = refusal(with_head("classifier"), tmp_path / file)
    assert "2 variables of another name" in problem.message
    assert "Rename the attributes" in problem.hint
    rows = [" ".join(line.split()) for line in problem.details]
    assert f"~ classifier/kernel [3, 2] float32 {stored} [3, 2] float32" in rows

    problem = refusal(with_head("head", units=4), tmp_path / file)
    rows = [" ".join(line.split()) for line in problem.details]
    assert f"! head/kernel [3, 4] float32 {stored} [3, 2] float32" in rows


def test_what_the_table_calls_a_variable_may_be_allowed_to_miss(tmp_path):
    saved = tf.Module()
    saved.body = with_head("head").body
    tf.train.Checkpoint(saved).write(tmp_path / "ck")
    (line,) = [d for d in refusal(with_head("head"), tmp_path / "ck").details if "kernel" in d]
    assert line.split()[:2] == ["<", "head/kernel"]
    found = restored(with_head("head"), tmp_path / "ck", allow_missing=("head/*",))
    assert len(found.binding.missing_allowed) == 2
    assert not any("allows nothing" in p.message for p in found.problems)


def test_a_float64_value_does_not_become_float32(tmp_path):
    saved, model = tf.Module(), tf.Module()
    saved.w = tf.Variable([1.0, 2.0], dtype=tf.float64)
    model.w = tf.Variable([0.0, 0.0])
    tf.train.Checkpoint(saved).write(tmp_path / "ck")
    problem = refusal(model, tmp_path / "ck")
    assert "float32 cannot hold without loss: float64" in problem.message


def test_allowed_differences_are_recorded(files):
    model = changed("extra layer")
    first = DATA / "functional" / "w"
    assert refusal(model, first, allow_missing=("dense_1/*",))
    found = restored(changed("lost bias"), first, allow_unused=("*/bias",))
    assert found.binding.unused_allowed == ("layer_with_weights-2/bias",)

    class Net(tf.Module):
        pass

    net, saved = Net(), Net()
    saved.a = tf.Variable([1.0])
    net.a, net.extra = tf.Variable([0.0]), tf.Variable([7.0])
    folder = files[0].parent
    tf.train.Checkpoint(saved).write(folder / "one")
    found = restored(net, folder / "one", allow_missing=("ex*",))
    assert found.binding.missing_allowed == ("extra",)
    assert [v.source == "" for v in found.variables] == [False, True]
    assert net.extra.numpy().tolist() == [7.0]


@pytest.mark.parametrize("pattern", ["*", "?*", "**", "[a-z]*", "*[aeiou]*"])
def test_a_pattern_that_matches_everything_is_refused(pattern, files):
    for rule in ("allow_missing", "allow_unused"):
        problem = refusal(changed("nothing"), files[1], **{rule: (pattern,)})
        assert f"{pattern!r} in `{rule.replace('_', '-')}` matches every" in problem.message


def test_a_pattern_that_allows_nothing_is_named(files):
    rules = {"allow_unused": ("*/bias", "old/*"), "allow_missing": ("head/*",)}
    found = restored(changed("lost bias"), DATA / "functional" / "w", **rules)
    warnings = [p.message for p in found.problems if "allows nothing" in p.message]
    assert [message.split(" in ")[0] for message in warnings] == ["'head/*'", "'old/*'"]


@pytest.mark.parametrize("name", ["total", "accumulator", "total_cm", "count"])
def test_a_value_is_no_metric_for_its_name_alone(name, tmp_path):
    class Net(tf.Module):
        def __init__(self, *, whole):
            super().__init__()
            self.w = tf.Variable([1.0])
            self.memory = tf.Module()
            self.memory.inner = tf.Variable([2.0])
            if whole:
                self.gone = tf.Module()
                setattr(self.gone, name, tf.Variable([[3.0]]))

    tf.train.Checkpoint(Net(whole=True)).write(tmp_path / "ck")
    problem = refusal(Net(whole=False), tmp_path / "ck")
    assert any(f"gone/{name}" in line for line in problem.details)
    assert restored(Net(whole=True), tmp_path / "ck").binding.bound == 3
