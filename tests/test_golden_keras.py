"""`record_golden` of Keras models of either generation, in the ways in which they take inputs."""

from __future__ import annotations

import numpy as np
import pytest

from ckpt_action import record_golden

ONE, TWO = np.ones((2, 3), np.float32), np.full((2, 3), 2, np.float32)
LAMBDA = r"`lambda user, item: model\(\[user, item\]\)`"


@pytest.fixture(params=["keras", "tf_keras"])
def keras(request):
    return pytest.importorskip(request.param)


@pytest.fixture
def record(tmp_path):
    """The only output that is recorded; the inputs are checked on the way."""

    def record(model, **inputs):
        path = record_golden(tmp_path / "g.npz", model, **inputs)
        with np.load(path, allow_pickle=False) as arrays:
            assert {n for n in arrays if n.startswith("in_")} == {f"in_{n}" for n in inputs}
            return arrays["out_0"]

    return record


def subclassed(keras, call):
    return type("Own", (keras.Model,), {"call": call})()


def weighted(user, item):
    return user * 1.0 + item * 10.0


def take_apart(self, pair, training=None):
    user, item = pair
    return weighted(user, item)


def by_key(self, inputs):
    return weighted(inputs["user"], inputs["item"])


def by_index(self, inputs):
    return weighted(inputs[0], inputs[1])


def by_parameters(self, user, item, training=True):
    return weighted(user, item) * (1000.0 if training else 1.0)


def one_of_another_name(self, x, training=False):
    return x * 3.0


def test_the_one_input_has_its_own_name(keras, record):
    image = keras.Input((3,), name="image")
    model = keras.Model(image, keras.layers.Rescaling(2.0)(image))
    with pytest.raises(ValueError, match=r"no input 'img'; its inputs are image.*`lambda img: mod"):
        record(model, img=ONE)
    assert (record(model, image=ONE) == 2).all()
    assert (record(lambda img: model(img * 1), img=ONE) == 2).all()


def test_one_input_that_has_no_name_or_that_a_dict_holds(keras, record):
    plain = keras.Sequential([keras.Input((3,)), keras.layers.Rescaling(2.0)])
    unbuilt = keras.Sequential([keras.layers.Rescaling(2.0)])
    image = keras.Input((3,), name="image")
    of_dict = keras.Model({"image": image}, keras.layers.Rescaling(2.0)(image))
    for model in (plain, unbuilt, of_dict, subclassed(keras, lambda self, x: x * 2.0)):
        assert (record(model, image=ONE) == 2).all()


def test_nothing_is_trained(keras, record):
    dropped = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.9)])
    np.testing.assert_array_equal(record(dropped, x=ONE), ONE)
    np.testing.assert_array_equal(record(subclassed(keras, one_of_another_name), image=ONE), 3)
    np.testing.assert_array_equal(record(subclassed(keras, by_parameters), item=TWO, user=ONE), 21)


@pytest.mark.parametrize("as_dict", [False, True])
def test_several_inputs_of_a_functional_model_go_by_its_names(keras, record, as_dict):
    user, item = (keras.Input((3,), name=name) for name in ("user", "item"))
    given = {"user": user, "item": item} if as_dict else [user, item]
    model = keras.Model(given, keras.layers.Subtract()([user, item]))
    assert (record(model, item=TWO, user=ONE) == -1).all()
    with pytest.raises(
        ValueError, match=r"no inputs 'a', 'b'; its inputs are (user, item|item, u)"
    ):
        record(model, a=ONE, b=TWO)


@pytest.mark.parametrize("call", [take_apart, by_key])
def test_a_list_or_a_dict_whose_code_tells_which_is_which(keras, record, call):
    assert (record(subclassed(keras, call), user=ONE, item=TWO) == 21).all()


def test_a_list_that_is_taken_apart_in_another_order(keras, record):
    with pytest.raises(ValueError, match="Give them in the order user, item"):
        record(subclassed(keras, take_apart), item=TWO, user=ONE)


def test_a_list_goes_in_the_given_order_where_no_other_one_could_pass(keras, record):
    model = subclassed(keras, by_index)
    assert (record(model, user=ONE, item=TWO[:, :1]) == 21).all()
    with pytest.raises(ValueError, match=f"nothing tells their order.*{LAMBDA}"):
        record(model, user=ONE, item=TWO)
    nameless = [keras.Input((3,)), keras.Input((3,))]
    with pytest.raises(ValueError, match=f"nothing tells their order.*{LAMBDA}"):
        record(keras.Model(nameless, keras.layers.Add()(nameless)), user=ONE, item=TWO)


def test_what_fails_in_every_way_shows_how_to_do_it_oneself(keras, record):
    def call(self, inputs):
        return inputs.nothing

    with pytest.raises(ValueError, match=f"neither as a list nor as a dict.*{LAMBDA}"):
        record(subclassed(keras, call), user=ONE, item=TWO)
    with pytest.raises(ValueError, match=f"it takes a, b.*{LAMBDA}"):
        record(subclassed(keras, lambda self, a, b: a - b), user=ONE, item=TWO)
