"""Signatures: declared, derived, and the ways in which models take their inputs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tomli
from cases import KERAS_3, problem_of, rebuilt, run, signature, traced

from ckpt_action.config.records import InputSpec, Verify
from ckpt_action.errors import ExitCode, Severity

A, B = np.float32([[1, 2, 3]]), np.float32([[10, 20, 30]])
PAIR = {"a": ("float32", "batch", 3), "b": ("float32", "batch", 3)}
SWAPPED = {"zeta": ("float32", "batch", 3), "alpha": ("float32", "batch", 3)}


def derived(entry_point, **options):
    (one,) = rebuilt(entry_point, **options).signatures
    return one.inputs


@pytest.mark.parametrize("entry_point", ["models:sequential", "models:many_before"])
def test_an_automatic_input_name_never_shows(entry_point):
    assert derived(entry_point) == (InputSpec(name="inputs", dtype="float32", shape=("batch", 8)),)


def test_names_and_free_sizes_of_a_functional_model():
    assert derived("models:functional_named") == (
        InputSpec(name="image", dtype="float32", shape=("batch", "image_1", "image_2", 3)),
    )
    assert [i.name for i in derived("models:functional_two")] == ["left", "right"]
    assert [i.name for i in derived("models:functional_two_automatic")] == ["input_0", "input_1"]
    assert [i.name for i in derived("models:functional_dict")] == ["a", "b"]
    assert derived("models:recurrent")[0].dtype == "int32"


def test_ids_that_the_model_declares_as_floats_are_warned_of():
    model = rebuilt("models:embedding")
    assert model.signatures[0].inputs[0].dtype == "float32"
    (problem,) = model.problems
    assert problem.severity is Severity.WARNING
    model = tomli.loads("\n".join(problem.details))["models"]["m"]
    taken = {"inputs": {"dtype": "int32", "shape": ["batch", "inputs_1"]}}
    assert model["signatures"]["serving_default"]["inputs"] == taken


def test_a_signature_of_a_tf_function_is_taken():
    assert derived("models:Bare") == (
        InputSpec(name="features", dtype="float32", shape=("batch", 8)),
    )


@pytest.mark.parametrize(
    ("entry_point", "shown"),
    [
        ("models:Subclassed", "x = {"),
        ("models:sequential_unbuilt", "inputs = {"),
        ("models:Pair", 'a = { dtype = "float32", shape = ["batch", …] }, b = {'),
        ("models:closure", "x = {"),
    ],
)
def test_what_cannot_be_derived_is_shown_to_be_written(entry_point, shown):
    problem = problem_of(rebuilt, entry_point)
    assert problem.code is ExitCode.SIGNATURE
    assert problem.details[0] == "[models.m.signatures.serving_default]"
    assert shown in problem.details[1]


def test_the_lines_to_write_are_those_of_the_golden_file(tmp_path):
    golden = tmp_path / "golden.npz"
    np.savez(golden, in_x=np.zeros((3, 8), "float16"), in_text=np.array(["a", "b"]), out_y=A)
    problem = problem_of(rebuilt, "models:Subclassed", verify=Verify(golden=golden))
    assert "golden.npz" in problem.hint
    assert problem.details[1] == (
        'inputs = { x = { dtype = "float16", shape = ["batch", 8] }, '
        'text = { dtype = "string", shape = ["batch"] } }'
    )
    absent = problem_of(rebuilt, "models:Subclassed", verify=Verify(golden=tmp_path / "no.npz"))
    assert 'x = { dtype = "float32", shape = ["batch", …]' in absent.details[1]


def test_inputs_go_to_the_models_own_inputs_by_name():
    model = traced("models:functional_two", signature(right=PAIR["b"], left=PAIR["a"]))
    swapped = traced("models:functional_two", signature(l=PAIR["a"], r=PAIR["b"]))
    for each, inputs in ((model, {"left": A, "right": B}), (swapped, {"l": A, "r": B})):
        (out,) = run(each, **inputs).values()
        kernel = each.variables[0].variable.numpy()
        np.testing.assert_allclose(out, A - B + A @ kernel, rtol=1e-5)


def test_some_names_right_and_some_wrong_is_an_error():
    problem = problem_of(
        rebuilt, "models:functional_two", signature(left=PAIR["a"], rihgt=PAIR["b"])
    )
    assert "left, rihgt" in problem.message
    assert "right: float32(None, 3)" in problem.message


@pytest.mark.parametrize(
    ("entry_point", "declared", "minuend"),
    [
        ("models:functional_dict", PAIR, "a"),
        ("models:functional_two_automatic", PAIR, "a"),
        ("models:Pair", PAIR, "a"),
        ("models:Pair", {"left": PAIR["a"], "right": PAIR["b"]}, "left"),
        ("models:OneList", SWAPPED, "zeta"),
        ("models:OneDict", {"alpha": PAIR["a"], "zeta": PAIR["b"]}, "zeta"),
        ("models:OneDict", SWAPPED, "zeta"),
        ("models:AnyOrder", PAIR, "a"),
    ],
)
def test_every_way_of_taking_two_inputs(entry_point, declared, minuend):
    model = traced(entry_point, signature(**declared))
    first, second = declared
    inputs = {minuend: A, (second if minuend == first else first): B}
    (out,) = run(model, **inputs).values()
    kernel = model.variables[0].variable.numpy()
    np.testing.assert_allclose(
        out, A @ kernel - B * (2.0 if "automatic" in entry_point else 1.0), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("entry_point", "taken"),
    [("models:Search", "query, document"), ("models:functional_two", "left, right")],
)
def test_inputs_under_other_names_are_passed_in_their_places_and_named(entry_point, taken):
    (note,) = rebuilt(entry_point, signature(x=PAIR["a"], y=PAIR["b"])).problems
    assert note.severity is Severity.NOTE
    assert f"x, y are passed in this order as {taken}" in note.message
    own = dict(zip(taken.split(", "), PAIR.values(), strict=True))
    assert rebuilt(entry_point, signature(**own)).problems == ()


@pytest.mark.parametrize(
    ("entry_point", "names"),
    [
        ("models:Search", ("d", "q")),
        ("models:Search", ("doc", "other")),
        ("models:Search", ("words", "Qry")),
        ("models:functional_two", ("r", "l")),
        ("models:Search", ("document_vec", "query_vec")),
        ("models:functional_two", ("right_eye", "other")),
    ],
)
def test_names_that_look_like_those_of_other_places_are_refused(entry_point, names):
    problem = problem_of(
        rebuilt, entry_point, signature(**dict(zip(names, PAIR.values(), strict=True)))
    )
    assert problem.code is ExitCode.SIGNATURE
    assert "would be passed in another place" in problem.message


@pytest.mark.parametrize(
    "names",
    [("q", "d"), ("d1", "d2"), ("quite", "document_ids"), ("que", "doc"), ("query_vec", "vec")],
)
def test_names_that_look_like_no_other_place_are_taken(names):
    rebuilt("models:Search", signature(**dict(zip(names, PAIR.values(), strict=True))))


TAKES_APART = [
    "models:TakesApart",
    "models:ModuleTakesApart",
    "models:ModuleTakesApartAnyNumber",
]


def of_names(*names):
    return signature(**dict(zip(names, PAIR.values(), strict=True)))


@pytest.mark.parametrize("entry_point", TAKES_APART)
def test_a_list_that_the_code_takes_apart_in_another_order_is_refused(entry_point):
    problem = problem_of(rebuilt, entry_point, of_names("document", "query"))
    assert problem.code is ExitCode.SIGNATURE
    assert "document, query are passed to `pair` as a list, in this order" in problem.message
    assert "apart as query, document" in problem.message
    assert "in the order query, document" in problem.hint
    short = problem_of(rebuilt, entry_point, of_names("d", "q"))
    assert "would be passed in another place" in short.message


@pytest.mark.parametrize("entry_point", TAKES_APART)
@pytest.mark.parametrize("names", [("query", "document"), ("q", "d")])
def test_a_list_in_the_order_of_the_code_is_noted(entry_point, names):
    (problem,) = rebuilt(entry_point, of_names(*names)).problems
    assert problem.severity is Severity.NOTE
    assert f"{', '.join(names)} are passed to `pair` as a list" in problem.message
    assert ("apart as query, document" in problem.message) == (names[0] == "q")


@pytest.mark.parametrize(
    ("entry_point", "to"),
    [
        ("models:OneList", "`inputs`"),
        ("models:TakesApart", "`pair`"),
        ("models:TakesApartOtherThings", "`pair`"),
        ("models:functional_two_automatic", "the model"),
    ],
)
def test_a_list_that_nothing_tells_the_order_of(entry_point, to, tmp_path):
    (problem,) = rebuilt(entry_point, of_names("x", "y")).problems
    assert problem.severity is Severity.WARNING
    assert f"x, y are passed to {to} as a list, in this order" in problem.message
    golden = Verify(golden=tmp_path / "golden.npz")
    (problem,) = rebuilt(entry_point, of_names("x", "y"), verify=golden).problems
    assert problem.severity is Severity.NOTE


def test_a_list_of_two_shapes_is_noted_and_so_is_a_dict():
    two = signature(x=("float32", "batch", 3), y=("float32", "batch", 1))
    (problem,) = rebuilt("models:OneList", two).problems
    assert problem.severity is Severity.NOTE
    (problem,) = rebuilt("models:OneDict", signature(**SWAPPED)).problems
    assert problem.severity is Severity.NOTE
    assert "zeta, alpha are passed to `inputs` as a dict with these keys" in problem.message


def test_nothing_is_said_of_inputs_that_nobody_declared():
    assert rebuilt("models:functional_two_automatic").problems == ()


def test_a_list_and_a_dict_of_another_order_are_not_guessed_between():
    problem = problem_of(rebuilt, "models:AnyOrder", signature(**SWAPPED))
    assert problem.code is ExitCode.SIGNATURE
    assert "zeta, alpha" in problem.message
    assert "alpha, zeta" in problem.message


@pytest.mark.parametrize("dtype", ["int32", "float64"])
@pytest.mark.parametrize("entry_point", ["models:sequential", "models:functional_named"])
def test_another_dtype_than_the_model_has_is_warned_of(entry_point, dtype):
    shape = ("batch", 8) if "sequential" in entry_point else ("batch", 8, 8, 3)
    (problem,) = rebuilt(entry_point, signature(image=(dtype, *shape))).problems
    assert problem.severity is Severity.WARNING
    assert f"declares image as {dtype}; the model's own input is image: float32" in problem.message
    for own in ("float32", "uint8"):
        assert rebuilt(entry_point, signature(image=(own, *shape))).problems == ()


@pytest.mark.parametrize(
    ("entry_point", "dtype", "warned"),
    [
        ("models:embedding", "int32", False),
        ("models:recurrent", "int64", False),
        ("models:recurrent", "float32", True),
    ],
)
def test_ids_are_integers_of_any_size(entry_point, dtype, warned):
    found = rebuilt(entry_point, signature(ids=(dtype, "batch", 5))).problems
    assert [p.severity for p in found] == [Severity.WARNING] * warned


@pytest.mark.parametrize(
    ("entry_point", "shown"),
    [
        ("models:sequential", "The model takes z: float32[batch, 8]."),
        ("models:functional_named", "The model takes image: float32[batch, image_1, image_2, 3]."),
    ],
)
@pytest.mark.parametrize("shape", [(9,), (8, 8, 1), ()])
def test_a_shape_that_keras_refuses_is_told_with_the_models_own(entry_point, shown, shape):
    name = "z" if "sequential" in entry_point else "image"
    problem = problem_of(traced, entry_point, signature(**{name: ("float32", "batch", *shape)}))
    assert problem.hint == shown


@pytest.mark.parametrize(
    "entry_point", ["models:Subclassed", "models:sequential_unbuilt", "models:Plain"]
)
def test_every_variable_exists_after_the_build(entry_point):
    shape = ("batch", 2) if "Plain" in entry_point else ("batch", 8)
    model = traced(entry_point, signature(x=("float32", *shape)))
    assert len(model.variables) == {"Sub": 6, "seq": 4, "Pla": 1}[entry_point[7:10]]


@pytest.mark.parametrize("entry_point", ["models:Stateful", "models:Counter", "models:stateful"])
def test_state_that_the_build_changed_is_put_back(entry_point):
    shape = {"Counter": ("batch", 2)}.get(entry_point[7:], (1, 5, 3))
    model = rebuilt(entry_point, signature(x=("float32", *shape))).model
    if entry_point == "models:Counter":
        assert model.calls.numpy() == 7
    else:
        states = (model.lstm if hasattr(model, "lstm") else model.layers[0]).states
        assert all(np.all(np.asarray(state) == 0.0) for state in states)


def test_free_sizes_are_raised_until_strides_and_windows_fit():
    declared = signature(image=("float32", "batch", "height", "width", 3))
    assert len(traced("models:Strided", declared).variables) == 6


def test_a_call_that_never_works_shows_the_users_line_and_every_attempt():
    declared = signature(image=("float32", "batch", "height", "width"))
    problem = problem_of(rebuilt, "models:Strided", declared)
    assert problem.code is ExitCode.SIGNATURE
    assert "image: float32[batch, height, width]" in problem.message
    assert problem.where.file.endswith("models.py")
    assert any("size 224" in detail for detail in problem.details)


def test_a_wrong_number_of_inputs_and_a_missing_method():
    problem = problem_of(rebuilt, "models:Pair", signature(a=PAIR["a"]))
    assert problem.code is ExitCode.SIGNATURE
    problem = problem_of(
        rebuilt, "models:Bare", signature(method="tripeld", features=("float32", "batch", 8))
    )
    assert "`tripled`" in problem.hint


def test_all_wrong_signatures_are_reported_at_once():
    from cases import problems_of

    good = signature(features=("float32", "batch", 8))
    wrong = [
        dataclasses.replace(good, name="one", method="nothing"),
        dataclasses.replace(good, name="two", method="nobody"),
    ]
    assert len(problems_of(rebuilt, "models:Bare", good, *wrong)) == 2


@pytest.mark.skipif(not KERAS_3, reason="Keras 2 has no such names")
def test_the_family_and_version_are_told():
    model = rebuilt("models:sequential")
    assert model.family == "keras-3"
    assert model.keras_version.startswith("3.")
    assert rebuilt("models:Bare").keras_version is None


def test_a_fixed_size_after_a_free_one_of_the_same_method():
    """A function that has been traced with free rows takes one row too, and would not be traced
    again."""
    free = signature(name="many", method="tripled", features=("float32", "batch", 8))
    fixed = signature(name="one", method="tripled", features=("float32", 1, 8))
    model = traced("models:Bare", free, fixed)
    many, one = (found.function for found in model.signatures)
    assert many.inputs[0].shape.as_list() == [None, 8]
    assert one.inputs[0].shape.as_list() == [1, 8]
    assert [o.shape[0] for o in one.outputs] == [1]


@pytest.mark.skipif(not KERAS_3, reason="Keras 2 takes the name by its place")
def test_what_keras_says_is_shown_without_colours_and_without_our_own_layer():
    problem = problem_of(rebuilt, "models:PositionalName", signature(x=("float32", "batch", 3)))
    assert "`name` must be passed as a keyword argument" in problem.message
    assert "\x1b" not in problem.message
    assert "InferenceMode" not in problem.message
