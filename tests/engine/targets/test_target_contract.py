"""What every target of the registry owes, on models that together use most of TensorFlow."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import keras_cases
import numpy as np
import pytest
from elsewhere import Seen, open_elsewhere
from handmade import Case, assert_equal

from ckpt_action.engine.arrays import digest
from ckpt_action.engine.records import Written
from ckpt_action.engine.targets import registry
from ckpt_action.errors import CkptActionError, ExitCode

MODELS = ("dense", "masked_recurrent")
REFUSED = {("tflite", "masked_recurrent"): "needs a batch of fixed size"}
"""(target, model) to what must be said about it."""
WRITTEN = [pair for pair in product(registry(), MODELS) if pair not in REFUSED]


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    return {name: keras_cases.CASES[name]() for name in MODELS}


@pytest.fixture(scope="module")
def written(cases, tmp_path_factory) -> dict[tuple[str, str, str], tuple[Path, Written]]:
    """(target, model, as written or perturbed) to folder and record."""
    made = {}
    for (target, name), state in product(WRITTEN, ("whole", "perturbed")):
        folder = tmp_path_factory.mktemp(f"{target}-{name}-{state}")
        record = registry()[target].export(cases[name].model, folder, {})
        made[target, name, state] = folder, record
        if state == "perturbed":
            perturb(folder, cases[name])
    return made


@pytest.fixture(scope="module")
def seen(cases, written, tmp_path_factory) -> dict[tuple[str, str, str], Seen]:
    tasks = [(key[0], folder, cases[key[1]].inputs) for key, (folder, _) in written.items()]
    answers = open_elsewhere(tasks, tmp_path_factory.mktemp("opened"))
    return dict(zip(written, answers, strict=True))


def perturb(folder: Path, case: Case) -> None:
    """Change one element of one weight in whichever file holds it."""
    value = case.model.variables[-1].variable.numpy()
    changed = value.copy()
    changed.reshape(-1)[0] += 1
    for file in sorted(folder.rglob("*")):
        if file.is_file() and value.tobytes() in (content := file.read_bytes()):
            file.write_bytes(content.replace(value.tobytes(), changed.tobytes()))
            return
    raise AssertionError(f"no file of {folder} holds the weight as it is")


def by_path(written: Written, answer: Seen) -> dict[str, str]:
    return {written.payloads[n]: d for n, d in answer.payloads.items() if n in written.payloads}


def digests(case: Case, written: Written) -> dict[str, str]:
    """Of what the artifact has to hold, as it has to hold it."""
    found = {v.path: digest(v.variable.numpy()) for v in case.model.variables}
    found |= written.rearranged
    return {path: value for path, value in found.items() if path not in written.transformed}


each = pytest.mark.parametrize(("target", "name"), WRITTEN)


@pytest.mark.parametrize(("target", "name"), REFUSED)
def test_what_a_format_cannot_hold_is_refused_before_the_first_byte(target, name, cases, tmp_path):
    with pytest.raises(CkptActionError, match=REFUSED[target, name]) as refusal:
        registry()[target].export(cases[name].model, tmp_path, {})
    assert {problem.code for problem in refusal.value.problems} == {ExitCode.TARGET}
    assert not list(tmp_path.iterdir())


@each
def test_an_artifact_computes_what_the_model_does(target, name, cases, seen):
    answer = seen[target, name, "whole"]
    assert not answer.error
    for signature, outputs in answer.outputs.items():
        assert_equal(outputs, cases[name].live(signature))


@each
def test_the_probe_reacts_to_weights_and_inputs(target, name, cases):
    """Otherwise the test above would prove nothing."""
    case = cases[name]
    reference = case.live("serving_default")["logits"]
    for model_variable in case.model.variables:
        variable = model_variable.variable
        value = variable.numpy()
        variable.assign(value + 0.05)
        moved = np.abs(case.live("serving_default")["logits"] - reference).max()
        variable.assign(value)
        assert moved > 1e-3, model_variable.path


@each
def test_a_second_call_gives_the_same(target, name, seen):
    answer = seen[target, name, "whole"]
    for signature, outputs in answer.outputs.items():
        assert_equal(answer.again[signature], outputs, exactly=True)


@each
def test_the_stored_values_are_the_variables(target, name, cases, written, seen):
    record = written[target, name, "whole"][1]
    assert by_path(record, seen[target, name, "whole"]) == digests(cases[name], record)
    assert set(record.transformed) < {v.path for v in cases[name].model.variables}


@each
def test_a_perturbed_weight_shows(target, name, cases, written, seen):
    answer = seen[target, name, "perturbed"]
    record = written[target, name, "perturbed"][1]
    assert by_path(record, answer) != digests(cases[name], record)
    if not answer.error:
        with pytest.raises(AssertionError):
            assert_equal(answer.outputs["serving_default"], cases[name].live("serving_default"))


@each
def test_the_files_declare_the_signatures(target, name, cases, written):
    folder, record = written[target, name, "whole"]
    artifact = registry()[target].open_artifact(folder, ())
    declared = {s.declared.name: s.record for s in cases[name].model.signatures}
    for signature in artifact.signatures():
        assert _names(signature) == _names(declared[signature.name])
    assert [s.name for s in record.signatures] == list(declared)


def _names(signature) -> set[tuple[str, str]]:
    return {(t.name, t.dtype) for t in (*signature.inputs, *signature.outputs)}
