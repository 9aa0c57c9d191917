"""Building without drawing initial values: nothing that anybody could see may differ."""

from __future__ import annotations

import dataclasses
import sys

import h5py
import numpy as np
import pytest
from cases import KERAS_3, in_fresh_process, keras, problem_of, rebuilt, signature, tf
from tensorflow.python.eager.polymorphic_function.concrete_function import ConcreteFunction
from tensorflow.python.ops.resource_variable_ops import BaseResourceVariable

from ckpt_action.checkpoint.identify import identify
from ckpt_action.config.records import Restore
from ckpt_action.engine import internals
from ckpt_action.engine.objects import reachable_variables
from ckpt_action.engine.rebuild import lazy_hooks
from ckpt_action.engine.rebuild.zero_pages import ZeroPages, can_tell
from ckpt_action.engine.restore import restore
from ckpt_action.errors import Severity

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells which memory was read"
)

X = signature(x=("float32", "batch", 300))


def values(model):
    return [v.numpy() for _, v in reachable_variables(model)]


def built(entry_point, *signatures, **options):
    keras.utils.set_random_seed(7)
    return rebuilt(f"lazy:{entry_point}", *signatures, **options)


def compared(entry_point, *signatures, **options):
    """How many variables were put off, and the model, after showing that the initial values of
    all are what they are without."""
    early = built(entry_point, *signatures, lazy_init=False, **options)
    late = built(entry_point, *signatures, **options)
    put_off = len(late.fill_kept.__self__._waiting)
    late.fill_kept()
    for ours, theirs in zip(values(late.model), values(early.model), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    return put_off, late.model, early.model


def test_this_machine_can_tell():
    assert can_tell()


def test_memory_says_whether_it_was_read_written_or_shared():
    pages = ZeroPages((100, 1000), tf.float32)
    tensor = pages.tensor()
    variable = tf.Variable(tensor)
    assert pages.holds(variable)
    del tensor
    assert not pages.touched()
    assert float(variable[99, 999]) == 0.0
    assert pages.touched()
    assert pages.lent()
    variable.assign(tf.ones((100, 1000)))
    assert not pages.holds(variable)
    assert not pages.lent()


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_a_large_layer_takes_no_memory():
    """Measured in a process of its own, against the same with the switch off."""
    program = (
        "import sys; from pathlib import Path; from cases import rebuilt, keras\n"
        "rebuilt('lazy:configures')  # which TensorFlow allows before its first operation\n"
        "def peak():\n"
        "    status = Path('/proc/self/status').read_text()\n"
        "    return int(status.split('VmHWM:')[1].split()[0]) >> 10\n"
        "Path('/proc/self/clear_refs').write_text('5')  # the peak is counted from here\n"
        "before = peak(); model = rebuilt('lazy:large', lazy_init=sys.argv[1] == 'on')\n"
        "print(peak() - before)"
    )
    on, off = (int(in_fresh_process(program, switch)) for switch in ("on", "off"))
    assert on < 16
    assert off >= 64


@pytest.mark.parametrize(
    ("build", "count"),
    [
        ("plain", 1),
        ("kinds", 11),
        ("tied", 1),
        ("cleared", 1 if KERAS_3 else 0),  # Keras 2 begins a new graph, which nobody watches
        ("unseeded", 2),
        ("own_initialiser", 0),
        ("derived_initialiser", 0),
        ("assigned", 0),
    ],
)
def test_values_drawn_late_are_those_drawn_early(build, count):
    assert compared(build)[0] == count


@pytest.mark.parametrize("dtype", ["float16", "float64", "mixed_float16", "bfloat16"])
def test_every_dtype(dtype):
    assert compared("of", arguments={"dtype": dtype})[0] == 1


def test_random_numbers_drawn_in_between_are_the_same():
    _, late, early = compared("unseeded")
    for ours, theirs in zip(late.drawn_after, early.drawn_after, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "build",
    [
        "norm_of_variable",
        "norm_in_cpp",
        "norm_of_numpy",
        "norm_in_function",
        "norm_in_concrete_function",
        "norm_in_predict",
        "norm_in_call",
        "norm_while_building",
        "norm_of_own_call",
    ],
)
def test_a_builder_that_computes_on_initial_values_sees_them(build):
    _, late, early = compared(build)
    assert late.constant == early.constant > 0


def test_models_that_are_built_by_a_call_see_them():
    count, late, early = compared("Called", X)
    assert late.constant == early.constant > 0
    assert count == 0
    assert compared("Module", X)[0] == 0


def test_another_method_of_a_graph_model_is_run():
    model = signature(method="predict_step", x=("float32", "batch", 300))
    assert compared("plain", X, dataclasses.replace(model, name="other"))[0] == 0


@pytest.mark.parametrize(
    ("build", "why"),
    [("hidden_reading", "dense/kernel"), ("fails_on_zeros", "all weights are zero")],
)
def test_where_code_cannot_do_without_it_runs_again_with_initial_values(build, why):
    found = built(build)
    (note,) = found.problems
    assert note.severity is Severity.NOTE
    assert why in note.message
    assert "lazy-init = false" in note.hint
    assert found.model.constant > 0
    assert not found.fill_kept.__self__._waiting
    assert built(build, lazy_init=False).problems == ()
    made = found.again()
    twin, began = made.rebuilt, made.began
    pairs = zip(reachable_variables(found.model), reachable_variables(twin.model), strict=True)
    for (_, one), (_, two) in pairs:
        assert began.counterpart(two) is one
        np.testing.assert_array_equal(one.numpy(), two.numpy())


def test_code_that_fails_anyhow_says_why_by_itself():
    problem = problem_of(built, "fails_anyhow")
    assert "ValueError: 1 models were made" in problem.message


def test_what_shares_behind_our_back_is_found():
    model = built("hidden_sharing")
    overwrite(model)
    assert "lazy-init = false" in problem_of(model.fill_kept).hint


def test_a_restored_variable_keeps_its_value():
    model = built("plain")
    overwrite(model)
    model.fill_kept()
    assert all((value == 1).all() for value in values(model.model))


def overwrite(model):
    for _, variable in reachable_variables(model.model):
        variable.assign(tf.ones_like(variable))


@pytest.mark.skipif(not KERAS_3, reason="restores a file of Keras 3")
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_allow_missing_keeps_the_initial_value_itself(tmp_path):
    early = built("plain", lazy_init=False).model
    path = tmp_path / "m.weights.h5"
    early.save_weights(path)
    with h5py.File(path, "a") as file:
        del file["layers/dense/vars/0"]
    model = built("plain")
    assert model.fill_kept.__self__._waiting
    found = restore(model, identify(path), Restore(allow_missing=("*/dense/kernel",)))
    assert len(found.binding.missing_allowed) == 1
    for ours, theirs in zip(values(model.model), values(early), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def cannot_tell(monkeypatch):
    monkeypatch.setattr(lazy_hooks, "can_tell", lambda: False)


def no_class_of_variables(monkeypatch):
    lacking(monkeypatch, "BaseResourceVariable")


def no_class_of_functions(monkeypatch):
    lacking(monkeypatch, "ConcreteFunction")


def lacking(monkeypatch, name):
    found = internals._found
    monkeypatch.setattr(
        internals, "_found", lambda path: None if path.endswith(name) else found(path)
    )


@pytest.mark.parametrize(
    ("hindered", "why"),
    [
        (cannot_tell, "this machine does not tell which memory was read"),
        (no_class_of_variables, "lacks a class"),
        (no_class_of_functions, "lacks a class"),
    ],
)
def test_where_nothing_can_be_put_off_it_says_so(hindered, why, monkeypatch):
    assert built("plain").slower == ()
    hindered(monkeypatch)
    assert compared("plain")[0] == 0
    (note,) = built("plain").slower
    assert note.severity is Severity.NOTE
    assert why in note.message
    assert built("plain", lazy_init=False).slower == ()


def test_tensorflow_and_keras_are_left_as_they_were():
    before = _patched()
    built("plain")
    problem_of(rebuilt, "trouble:raises")
    assert _patched() == before
    assert not hasattr(BaseResourceVariable, "_handle")


def _patched():
    return [type(tf.function(len)).__call__, ConcreteFunction.__call__, tf.variable_creator_scope]


@pytest.mark.slow
@pytest.mark.skipif(not KERAS_3, reason="this is Keras 2 already")
def test_all_of_it_under_the_other_keras():
    pytest.importorskip("tf_keras")
    in_fresh_process(
        "import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))",
        "-q",
        "-pno:cacheprovider",
        __file__,
        TF_USE_LEGACY_KERAS="1",
    )
