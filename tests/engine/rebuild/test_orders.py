"""The order of a set, and that of the files in a folder, must not decide which layer has which
weights, unless the checkpoint tells."""

from __future__ import annotations

import linecache
import os
import sys
import warnings

import pytest
from cases import (
    CODE,
    KERAS_3,
    keras,
    make_job,
    rebuild,
    rebuilt,
    run,
    signature,
    tf,
    trace,
    traced,
)

from ckpt_action.checkpoint.identify import identify
from ckpt_action.config.records import Verify
from ckpt_action.engine.internals import reset_keras_names
from ckpt_action.engine.order.sets import order_is_asked, parsed, turned_text
from ckpt_action.engine.prove.model.reference import make_reference
from ckpt_action.engine.restore import restore
from ckpt_action.engine.trace.turned import in_another_order
from ckpt_action.engine.trace.twin import make_twin
from ckpt_action.errors import Severity

GIVEN = signature(
    user=("float32", "batch", 5), item=("float32", "batch", 5), context=("float32", "batch", 5)
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Of three files, in an order of their own."""
    for name in ("user", "item", "context"):
        tmp_path.joinpath("towers", name).mkdir(parents=True)
    monkeypatch.setenv("TOWERS", str(tmp_path / "towers"))
    reset_keras_names(keras)  # as in a process of its own: by names these variables are paired


def origin(model, verify=None):
    found = make_reference(model, verify or Verify())
    (proof,) = (p for p in found.proofs if p.name == "origin")
    return proof, (*model.problems, *found.problems)


@pytest.mark.parametrize(
    ("entry_point", "line"),
    [
        ("of_a_name_for_a_set", "self.names = list(names)"),
        ("of_a_set", 'Towers(name for name in {"user"'),
        ("of_keys", "Towers(sorted({"),
        ("of_listdir", "os.listdir(FOLDER))"),
        ("of_scandir", "with os.scandir(FOLDER)"),
        ("of_iterdir", "FOLDER.iterdir()"),
        ("of_glob", "glob(f"),
        ("of_gfile", "tf.io.gfile.listdir"),
        ("InTheCall", "for name in NAMES], -1)"),
    ],
)
def test_an_order_that_changes_leaves_the_origin_open_and_is_named(entry_point, line):
    proof, (warning,) = origin(traced(f"orders:{entry_point}", GIVEN))
    assert proof.passed is None
    assert warning.severity is Severity.WARNING
    assert "depends on an order that changes" in warning.message
    assert line in CODE.joinpath("orders.py").read_text().splitlines()[warning.where.line - 1]


@pytest.mark.parametrize(
    "entry_point", ["sorted_set", "sorted_folder", "written_down", "ToldByKeys", "SumsUp"]
)
def test_an_order_that_decides_nothing_is_fine(entry_point):
    proof, problems = origin(traced(f"orders:{entry_point}", GIVEN))
    assert (proof.passed, problems) == (True, ())


def test_code_that_makes_no_model_of_another_order():
    proof, (warning,) = origin(traced("orders:KnowsItsOrder", GIVEN))
    assert proof.passed is None
    assert "makes no model of another one: " in warning.message
    assert "AssertionError" in proof.detail


def restored_from(entry_point, path):
    """With the values of a file that the same code wrote, in the order that this process has."""
    model = rebuilt(f"orders:{entry_point}", GIVEN).model
    for number, variable in enumerate(model.variables):
        variable.assign(tf.random.stateless_normal(variable.shape, [number, 0]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's, of Keras
        model.save_weights(str(path))
    reset_keras_names(keras)
    job = make_job(f"orders:{entry_point}", GIVEN)
    checkpoint = identify(path)
    found = restore(rebuild(job), checkpoint, job.model.restore, job.model.signatures)
    model = trace(found, "m", make_twin(found, checkpoint))
    return in_another_order(model, found, checkpoint)


@pytest.mark.skipif(not KERAS_3, reason="the format of Keras 3")
@pytest.mark.parametrize(("entry_point", "passed"), [("Named", True), ("Unnamed", None)])
def test_names_of_layers_in_the_file_decide(entry_point, passed, tmp_path):
    proof, _ = origin(restored_from(entry_point, tmp_path / "m.weights.h5"))
    assert proof.passed is passed


def test_golden_values_decide(tmp_path):
    import numpy as np

    model = traced("orders:of_a_set", GIVEN)
    given = {n: np.ones((2, 5), "float32") * i for i, n in enumerate(("user", "item", "context"))}
    arrays = {f"in_{n}": a for n, a in given.items()}
    arrays |= {f"out_{n}": a for n, a in run(model, **given).items()}
    np.savez(tmp_path / "golden.npz", **arrays)
    proof, problems = origin(model, Verify(golden=tmp_path / "golden.npz"))
    assert proof.passed is None
    assert "the golden values decide" in proof.detail
    assert problems == ()


def test_afterwards_everything_is_as_before():
    before = sys.meta_path[:], os.listdir, os.scandir, tf.io.gfile.listdir
    traced("orders:of_listdir", GIVEN)
    assert before == (sys.meta_path, os.listdir, os.scandir, tf.io.gfile.listdir)
    assert linecache.getlines(str(CODE / "orders.py"))[0].startswith('"""Models of three')
    assert not hasattr(sys.modules["orders"], "__other_order__")


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("F = {1, 2}\nif x in F and len(F) > 1: pass", False),
        ("seen = set()\nseen.add(1)\nfor x in sorted(seen): pass", False),
        ("if set(a) == b: pass", False),
        ("F = {1}\nfor x in F: pass", True),
        ("self.f = {1}\ny = [x for x in self.f]", True),
        ("build(set(names))", True),
        ("def names(): return {1, 2}", True),
        ("x = sorted({1}, key=len)", True),
    ],
)
def test_sets_that_are_asked_for_their_members_alone(text, asked):
    assert order_is_asked(parsed({"": text}).values()) is asked


def test_text_that_is_turned_keeps_its_lines():
    text = 'x = [é for é in F]; y = list(F)\n\nz = [*F,\n     *map(str, F)]\nk = f"{list(F)}"\n'
    turned = turned_text(text, parsed({"": text})[""])
    assert turned.splitlines()[:2] == [
        "x = [é for é in __other_order__(F, 1)]; y = list(__other_order__(F, 1))",
        "",
    ]
    assert turned.splitlines()[-1] == text.splitlines()[-1]
    compile(turned, "", "exec")
