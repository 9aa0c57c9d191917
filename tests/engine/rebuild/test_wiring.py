"""The architecture in a file against a model with the same layers and the same weights."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from cases import KERAS_3

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras

from ckpt_action.checkpoint.identify import identify
from ckpt_action.engine.layers.stored_layers import other_layers

pytestmark = pytest.mark.skipif(not KERAS_3, reason="Keras 3 writes these files")
L = keras.layers
FORMS = ["keras", "h5"]


def inputs():
    return keras.Input((6, 5), name="x")


def residual(source="first", *, swapped=False, names=("a", "b")):
    x = inputs()
    a = L.Dense(5, name=names[0])(x)
    b = L.Dense(5, name=names[1])(a)
    terms = [{"first": x, "last": a}[source], b]
    return keras.Model(x, L.Add(name="sum")(terms[::-1] if swapped else terms))


def stack(*layers):
    x = y = inputs()
    for layer in layers:
        y = layer(y)
    return keras.Model(x, y)


def normed(*, relu_first):
    norm, relu = L.BatchNormalization(name="n"), L.ReLU(name="r")
    return stack(L.Dense(4), *((relu, norm) if relu_first else (norm, relu)), L.Dense(2))


def nested(source):
    x = inputs()
    return keras.Model(x, L.Dense(2)(residual(source)(x)))


def attended(*names, **named):
    """`names` of what is attended to: `q` or `v`."""
    x = inputs()
    of = {"q": L.Dense(5, name="q")(x), "v": L.Dense(5, name="v")(x)}
    mha = L.MultiHeadAttention(1, 2)
    given = [of[name] for name in names]
    return keras.Model(x, mha(*given, **{key: of[name] for key, name in named.items()}))


def words(vocabulary):
    x = keras.Input((1,), dtype="string")
    return keras.Model(x, L.Embedding(8, 4)(L.StringLookup(vocabulary=vocabulary, name="w")(x)))


def binned(*edges):
    return stack(L.Discretization(bin_boundaries=list(edges), name="d"), L.Dense(2))


def difference(trained, built, form, folder):
    path = folder / f"m.{form}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trained.save(path)
    return other_layers(built, identify(path), "")


CASES = {
    "residual": (residual, lambda: residual("last"), "Add 'sum' fed by InputLayer 'x'"),
    "order": (
        lambda: normed(relu_first=True),
        lambda: normed(relu_first=False),
        "fed by BatchNormalization 'n'",
    ),
    "nested": (lambda: nested("first"), lambda: nested("last"), "Add 'sum' fed by InputLayer 'x'"),
    "wrapped": (
        lambda: stack(L.TimeDistributed(stack_of_rows(0.5), name="t")),
        lambda: stack(L.TimeDistributed(stack_of_rows(0.25), name="t")),
        "TimeDistributed 't': Rescaling 's' with scale=0.5",
    ),
    "argument": (
        lambda: attended("q", value="v", key="q"),
        lambda: attended("q", value="v"),
        "called with query, value, key",
    ),
    "masking": (
        lambda: stack(L.Masking(0.0, name="m"), L.LSTM(2)),
        lambda: stack(L.Masking(9.0, name="m"), L.LSTM(2)),
        "Masking 'm' with mask_value=0.0",
    ),
    "normalisation": (
        lambda: stack(L.Normalization(mean=0.0, variance=1.0, name="n"), L.Dense(2)),
        lambda: stack(L.Normalization(mean=2.0, variance=1.0, name="n"), L.Dense(2)),
        "with mean=0.0",
    ),
    "boundaries": (
        lambda: binned(1.6e9, 1.6e9 + 4e3),
        lambda: binned(1.6e9, 1.6e9 + 9e3),
        "Discretization 'd' with bin_boundaries[1]=1600004000.0",
    ),
    "words": (
        lambda: words(["a", "b"]),
        lambda: words(["b", "a"]),
        "StringLookup 'w' with vocabulary[0]=a",
    ),
    "function": (
        lambda: stack(L.LSTM(3, recurrent_activation="relu", name="l")),
        lambda: stack(L.LSTM(3, recurrent_activation="tanh", name="l")),
        "recurrent_activation=relu",
    ),
    "operation": (
        lambda: stack(L.Dense(5), lambda x: x * 2.0),
        lambda: stack(L.Dense(5), lambda x: x * 3.0),
        "called with [1]=2.0",
    ),
    "inner layer": (
        lambda: stack(L.TimeDistributed(L.Dense(3, activation="relu"), name="t")),
        lambda: stack(L.TimeDistributed(L.Dense(3), name="t")),
        "TimeDistributed 't' with layer.activation=relu",
    ),
}  # fmt: skip


def stack_of_rows(scale):
    return keras.Sequential([keras.Input((5,)), L.Rescaling(scale, name="s"), L.Dense(2)])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES)
def test_what_is_set_or_fed_otherwise_is_named(case, form, tmp_path):
    trained, built, named = CASES[case]
    only_file, only_model = difference(trained(), built(), form, tmp_path)
    assert named in "; ".join(only_file)
    assert len(only_file) == len(only_model)


@pytest.mark.parametrize("case", CASES)
def test_the_same_code_is_the_same(case, tmp_path):
    trained, built, _ = CASES[case]
    for form in FORMS:
        assert difference(trained(), trained(), form, tmp_path) is None
        assert difference(built(), built(), form, tmp_path) is None


SAME = {
    "other names": (residual, lambda: residual(names=("c", "d"))),
    "a sum the other way round": (residual, lambda: residual(swapped=True)),
    "a sum without a layer": (
        lambda: stack(L.Dense(5), lambda x: L.Add()([x, x])),
        lambda: stack(L.Dense(5), lambda x: x + x),
    ),
    "a model that is not nested": (
        lambda: keras.Sequential([inputs(), keras.Sequential([L.Dense(4), L.ReLU()]), L.Dense(2)]),
        lambda: stack(L.Dense(4), L.ReLU(), L.Dense(2)),
    ),
    "what only trains": (
        lambda: stack(L.LSTM(3, dropout=0.5, kernel_regularizer="l2", seed=3), L.Dropout(0.2)),
        lambda: stack(L.LSTM(3, kernel_initializer="zeros")),
    ),
    "no training, said": (
        lambda: stack(L.Dense(4), lambda x: L.BatchNormalization()(x, training=False)),
        lambda: stack(L.Dense(4), L.BatchNormalization()),
    ),
    "an argument by its name": (
        lambda: attended("q", value="v"),
        lambda: attended("q", "v"),
    ),
    "special words among the words": (
        lambda: words(["[UNK]", "a", "b"]),
        lambda: words(["a", "b"]),
    ),
    "numbers of another precision": (
        lambda: stack(L.Rescaling(1 / 3), L.Dense(2)),
        lambda: stack(L.Rescaling(float(np.float32(1 / 3))), L.Dense(2)),
    ),
    "a name of a function": (
        lambda: stack(L.Dense(2, activation="swish")),
        lambda: stack(L.Dense(2, activation="silu")),
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_what_computes_the_same_is_the_same(case, tmp_path):
    trained, built = SAME[case]
    for form in FORMS:
        assert difference(trained(), built(), form, tmp_path) is None


def test_layers_of_one_name_are_compared_where_outputs_are_cut(tmp_path):
    def heads(scale, *, both):
        x = inputs()
        y = L.Dense(4, name="body")(L.Rescaling(scale, name="rescale")(x))
        z = L.Dense(2, name="head")(y)
        return keras.Model(x, [z, y] if both else z)

    assert difference(heads(2.0, both=False), heads(2.0, both=True), "keras", tmp_path) is None
    built = residual("last")
    built = keras.Model(built.inputs, [*built.outputs, built.get_layer("b").output])
    (only_file, *_), _ = difference(residual(), built, "keras", tmp_path)
    assert only_file == "Add 'sum' fed by InputLayer 'x'"
