"""Every format over a dozen architectures: right in a fresh process, or refused by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from elsewhere import Seen, open_elsewhere
from handmade import Arrays, Case
from networks import HEAVY, NETWORKS
from perturbing import perturbed

from ckpt_action.config.records import Verify
from ckpt_action.engine.arrays import digest
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.outputs.judgement import judge
from ckpt_action.engine.prove.outputs.spread import allowances
from ckpt_action.engine.records import Written
from ckpt_action.engine.targets import registry
from ckpt_action.errors import CkptActionError, ExitCode

FORMATS = tuple(registry())
REFUSED = {
    ("tflite", "bilstm_gru"): "'.*(gru|lstm).*' needs a batch of fixed size.*`x` of shape",
    ("tflite", "masked_lstm"): "'.*lstm.*' needs a batch of fixed size.*`x` of shape",
}
_MOVED = 1e-3
"""What a wrong weight changes at least, of the outputs' spread: ten times what passes."""
QUICK = {"cnn", "transposed_group_norm", "bilstm_gru_one_row", "several_inputs_and_outputs"}
networks = pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in NETWORKS]
)


@dataclass(frozen=True, kw_only=True)
class Made:
    case: Case
    reference: Arrays
    written: dict[str, tuple[Path, Written]] = field(default_factory=dict)
    refused: dict[str, CkptActionError] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    wrong: dict[str, Seen] = field(default_factory=dict)
    """Of files that were written while the model had another weight."""
    moved: Arrays = field(default_factory=dict)
    """What it computed with that."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Network to what came of it, made when first asked for."""
    known: dict[str, Made] = {}

    def make(name: str) -> Made:
        if name not in known:
            known.update(_make(QUICK if name in QUICK else {name}, tmp_path_factory))
        return known[name]

    return make


def _make(names: Iterable[str], tmp_path_factory) -> dict[str, Made]:
    """All opened in one process."""
    found, tasks = {}, {}
    for name in sorted(names):
        case = NETWORKS[name]()
        made = Made(case=case, reference=case.live("serving_default"))
        for target in FORMATS:
            folder = tmp_path_factory.mktemp(f"{name}-{target}")
            try:
                made.written[target] = folder, registry()[target].export(case.model, folder, {})
                tasks[name, target, "seen"] = target, folder, case.inputs
            except CkptActionError as error:
                made.refused[target] = error
                assert not list(folder.iterdir())
        with perturbed(case, _MOVED) as moved:
            made.moved.update(moved)
            for target in made.written:
                folder = tmp_path_factory.mktemp(f"{name}-{target}-perturbed")
                registry()[target].export(case.model, folder, {})
                tasks[name, target, "wrong"] = target, folder, case.inputs
        found[name] = made
    answers = open_elsewhere(tasks.values(), tmp_path_factory.mktemp("opened"))
    for (name, target, which), answer in zip(tasks, answers, strict=True):
        getattr(found[name], which)[target] = answer
    return found


def verdicts(made: Made, target: str, seen: Seen, reference: Arrays):
    """As the verifying child judges."""
    probe = Probe(signature="serving_default", label="", inputs={}, reference=reference)
    outputs = seen.outputs["serving_default"]
    allowed = allowances([probe], made.written[target][1].rounding)
    return judge(probe, outputs, Verify(), against="reference", allowed=allowed)


@networks
@pytest.mark.parametrize("target", FORMATS)
def test_it_is_right_or_refused_by_name(name, target, made):
    found = made(name)
    if (target, name) in REFUSED:
        problems = found.refused[target].problems
        assert {p.code for p in problems} == {ExitCode.TARGET}
        assert all(
            "Declare a number in its place, as in `shape = [1, …]`" in p.hint for p in problems
        )
        with pytest.raises(CkptActionError, match=REFUSED[target, name]):
            raise found.refused[target]
        return
    assert target not in found.refused, found.refused
    assert not found.seen[target].error
    assert all(v.passed for v in verdicts(found, target, found.seen[target], found.reference))
    again = found.seen[target].again["serving_default"]
    for output, value in found.seen[target].outputs["serving_default"].items():
        assert np.array_equal(again[output], value)


@networks
def test_a_weight_that_is_wrong_in_the_files_shows(name, made):
    """Also where it was folded into others. It is stored as well as the right one would be."""
    found = made(name)
    assert found.wrong.keys() == found.written.keys()
    for target, seen in found.wrong.items():
        assert not seen.error
        assert all(v.passed for v in verdicts(found, target, seen, found.moved)), target
        assert not all(v.passed for v in verdicts(found, target, seen, found.reference)), target


@networks
def test_every_value_is_held_or_answered_for(name, made):
    found = made(name)
    paths = {v.path for v in found.case.model.variables}
    for target, (_, record) in found.written.items():
        assert {*record.payloads.values(), *record.transformed} == paths
        held = {v.path: digest(v.variable.numpy()) for v in found.case.model.variables}
        held |= record.rearranged
        stored = found.seen[target].payloads
        for place, path in record.payloads.items():
            assert stored[place] == held[path]


def test_the_list_is_what_people_export():
    assert len(NETWORKS) >= 14
    assert set(NETWORKS) >= QUICK | HEAVY | {name for _, name in REFUSED}
