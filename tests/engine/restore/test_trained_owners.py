"""Whose weights an optimizer holds, where nothing else in the checkpoint has them: layers in lists
leave no trace of their own, so that any part may be their owner."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from restoring import fresh, output, refusal, restored

layers = keras.layers


class Net(keras.Model):
    """All weights are out of sight of tf.train.Checkpoint, but for those of `base`."""

    def __init__(self, base=None, *, frozen=False):
        super().__init__()
        self.flat, self.drop = layers.Flatten(), layers.Dropout(0.1)
        self.base = base
        if base is not None:
            self.base.trainable = not frozen
        self.blocks = [layers.Dense(6, activation="tanh"), layers.Dense(2)]

    def call(self, x):
        x = self.drop(self.flat(x))
        x = x if self.base is None else self.base(x)
        for block in self.blocks:
            x = block(x)
        return x


class Other(Net):
    """The same under another name."""


class Judge(keras.Model):
    """Everything is an attribute."""

    def __init__(self):
        super().__init__()
        self.flat, self.first, self.last = layers.Flatten(), layers.Dense(6), layers.Dense(1)

    def call(self, x):
        return self.last(self.first(self.flat(x)))


class Agent(tf.Module):
    def __init__(self):
        super().__init__()
        self.encoder = made(lambda: keras.Sequential([layers.Dense(6)]))
        self._actor, self.critic = made(), made()


def made(build=Net):
    model = build()
    model(tf.zeros((1, 6)))
    return model


def frozen_base():
    base = layers.Dense(6)
    base.build((None, 6))
    return Net(base, frozen=True)


def trainer(*models, kind="Adam"):
    optimizer = getattr(keras.optimizers, kind)()
    optimizer.build([v for model in models for v in model.trainable_variables])
    return optimizer


def saved(path, **parts):
    rng = np.random.default_rng(3)
    tf.train.Checkpoint(**parts).write(path)
    for part in parts.values():
        for variable in getattr(part, "variables", ()) if isinstance(part, tf.Module) else ():
            variable.assign(rng.normal(0.5, 0.2, variable.shape))
    tf.train.Checkpoint(**parts).write(path)


@pytest.mark.parametrize("allowed", [(), ("optimizer/*",)])
@pytest.mark.parametrize(
    ("root", "owners"),
    [("critic", "those of 'actor' as well"), (None, "those of any of 'actor', 'critic'")],
)
def test_another_network_may_be_the_one_that_was_trained(root, owners, allowed, tmp_path):
    fresh()
    actor, critic = made(), made()
    saved(tmp_path / "ck", actor=actor, critic=critic, optimizer=trainer(actor))
    fresh()
    problem = refusal(made(), tmp_path / "ck", root=root, allow_unused=allowed)
    assert "The optimizer 'optimizer' holds 4 values" in problem.message
    assert owners in problem.message
    assert "model.save_weights('x.weights.h5')" in problem.hint
    assert "allow-unused" not in problem.hint
    assert "root" not in problem.hint
    assert not any(line.startswith("=") and "blocks" in line for line in problem.details)


def test_two_optimizers_of_equal_networks(tmp_path):
    fresh()
    one, two = made(), made()
    saved(tmp_path / "ck", one=one, two=two, o1=trainer(one), o2=trainer(two))
    fresh()
    assert "'two' as well" in refusal(made(), tmp_path / "ck", root="one").message


def test_two_lists_that_fit_one_network(tmp_path):
    """The second optimizer trained what is no part of the checkpoint."""
    fresh()
    one, two = made(), made()
    saved(tmp_path / "ck", one=one, o1=trainer(one), o2=trainer(two))
    for allowed in ("o1/*", "o2/*"):
        fresh()
        problem = refusal(made(), tmp_path / "ck", root="one", allow_unused=(allowed,))
        assert "not clear which value" in problem.message


@pytest.mark.parametrize(
    ("root", "owner"), [("target.critic", "'target._actor'"), ("online.critic", "'online._actor'")]
)
def test_parts_of_parts(root, owner, tmp_path):
    """The optimizer trained the critic of the online agent."""
    fresh()
    online, target = Agent(), Agent()
    saved(tmp_path / "ck", online=online, target=target, optimizer=trainer(online.critic))
    fresh()
    problem = refusal(made(), tmp_path / "ck", root=root)
    assert owner in problem.message
    assert "'target'" in problem.message or "'online'" in problem.message
    assert refusal(made(), tmp_path / "ck")


def test_a_frozen_base_says_nothing_about_the_trained_heads(tmp_path):
    fresh()
    actor, critic = made(frozen_base), made(frozen_base)
    saved(tmp_path / "ck", actor=actor, critic=critic, optimizer=trainer(actor))
    for root, owner in (("critic", "actor"), ("actor", "critic")):
        fresh()
        problem = refusal(made(frozen_base), tmp_path / "ck", root=root)
        assert f"those of {owner!r} as well" in problem.message


def test_a_shared_base_says_nothing_about_the_heads(tmp_path):
    fresh()
    base = layers.Dense(6)
    actor, critic = made(lambda: Net(base)), made(lambda: Net(base))
    saved(tmp_path / "ck", actor=actor, critic=critic, optimizer=trainer(actor))
    fresh()
    problem = refusal(made(lambda: Net(layers.Dense(6))), tmp_path / "ck", root="critic")
    assert "those of 'actor' as well" in problem.message


@pytest.mark.parametrize("kind", ["Adam", "SGD"])
def test_recorded_names_of_another_network(kind, tmp_path):
    fresh()
    actor = made(Other)
    saved(tmp_path / "ck", critic=made(), optimizer=trainer(actor, kind=kind))
    fresh()
    problem = refusal(made(), tmp_path / "ck", root="critic")
    recorded = "other_dense_kernel_momentum" if kind == "Adam" else "other/kernel"
    assert f"It recorded {recorded!r} where the model has 'net/dense/kernel'" in problem.message
    assert "the names of the training" in problem.hint


def beside_a_judge():
    net, judge = made(), made(Judge)
    return {"net": net, "judge": judge, "o1": trainer(net), "o2": trainer(judge)}


def behind_an_encoder():
    net, given = made(), keras.Input((6,))
    encoder = keras.Model(given, layers.Dense(6)(layers.Activation("relu")(given)))
    return {"net": net, "encoder": encoder, "optimizer": trainer(net)}


def alone():
    net = made()
    return {"net": net, "optimizer": trainer(net)}


def among_counters():
    others = {"step": tf.Variable(1), "random": tf.random.Generator.from_seed(1)}
    return alone() | others


@pytest.mark.parametrize("parts", [alone, among_counters, beside_a_judge, behind_an_encoder])
def test_the_only_possible_owner_takes_them(parts, tmp_path):
    fresh()
    made_parts = parts()
    saved(tmp_path / "ck", **made_parts)
    fresh()
    model = made()
    restored(model, tmp_path / "ck", root="net")
    golden = output(made_parts["net"], "functional")
    np.testing.assert_array_equal(output(model, "functional"), golden)


def test_the_only_possible_owner_with_a_frozen_base(tmp_path):
    fresh()
    net = made(frozen_base)
    saved(tmp_path / "ck", net=net, optimizer=trainer(net))
    fresh()
    model = made(frozen_base)
    assert restored(model, tmp_path / "ck").binding.bound == 6
    np.testing.assert_array_equal(output(model, "functional"), output(net, "functional"))
