"""Every way of quantising over the architectures: near the model, its rows told apart, and a weight
that is wrong in the file shows; or refused by name."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass

import pytest
from elsewhere import Seen, open_elsewhere
from handmade import Arrays
from networks import NETWORKS
from perturbing import perturbed

from ckpt_action.config.records import Verify
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.outputs.judgement import judge, with_agreement
from ckpt_action.engine.prove.outputs.spread import allowances
from ckpt_action.engine.records import Written
from ckpt_action.engine.targets import registry
from ckpt_action.errors import CkptActionError, ExitCode

INT8 = {"quantize": "int8", "representative-data": "samples_of_networks:give"}
MODES: dict[str, tuple[str, dict[str, object]]] = {
    "tflite float16": ("tflite", {"quantize": "float16"}),
    "tflite dynamic-range": ("tflite", {"quantize": "dynamic-range"}),
    "tflite int8": ("tflite", INT8),
    "tfjs float16": ("tfjs", {"quantize": {"weights": "float16"}}),
    "tfjs uint16": ("tfjs", {"quantize": {"weights": "uint16"}}),
    "tfjs uint8": ("tfjs", {"quantize": {"weights": "uint8"}}),
}
ONE_BATCH = "needs a batch of fixed size"
LOOP = "cannot be quantised to int8: TensorFlow's converter crashes"
REFUSED = {
    **{(n, f"tflite {how}"): ONE_BATCH for n in ("bilstm_gru", "masked_lstm")
       for how in ("float16", "dynamic-range")},
    **{(n, "tflite int8"): LOOP for n in NETWORKS if "lstm" in n},
}  # fmt: skip
MOVED = 0.3
"""What a wrong weight changes at least, of the outputs' spread: three times what int8 may cost."""


@dataclass(frozen=True, kw_only=True)
class File:
    written: Written
    seen: Seen


def files(name: str, monkeypatch, tmp_path) -> tuple[Arrays, dict[tuple[str, bool], File]]:
    """What the model computes; (mode, whether a weight is wrong) to what was written."""
    case = NETWORKS[name]()
    reference = case.live("serving_default")
    samples = types.ModuleType("samples_of_networks")
    samples.give = lambda: [case.inputs["serving_default"]]
    monkeypatch.setitem(sys.modules, "samples_of_networks", samples)
    tasks, records = {}, {}

    def export(*, wrong: bool) -> None:
        for mode, (target, options) in MODES.items():
            if (name, mode) not in REFUSED:
                folder = tmp_path / f"{mode}-{wrong}"
                folder.mkdir()
                records[mode, wrong] = registry()[target].export(case.model, folder, options)
                tasks[mode, wrong] = target, folder, case.inputs

    export(wrong=False)
    with perturbed(case, MOVED):
        export(wrong=True)
    seen = open_elsewhere(tasks.values(), tmp_path)
    return reference, {
        key: File(written=records[key], seen=answer)
        for key, answer in zip(tasks, seen, strict=True)
    }


def verdicts(file: File, reference: Arrays):
    """As the verifying child judges."""
    probe = Probe(signature="serving_default", label="", inputs={}, reference=reference)
    outputs = file.seen.outputs["serving_default"]
    allowed = allowances([probe], file.written.max_error)
    found = judge(probe, outputs, Verify(), against="reference", allowed=allowed)
    return with_agreement(found, probe, outputs)


@pytest.mark.parametrize(
    "name", [n if n == "cnn" else pytest.param(n, marks=pytest.mark.slow) for n in NETWORKS]
)
def test_a_quantised_file_is_near_and_a_wrong_weight_in_it_shows(name, monkeypatch, tmp_path):
    reference, found = files(name, monkeypatch, tmp_path)
    assert found
    for (mode, wrong), file in found.items():
        assert not file.seen.error, mode
        judged = verdicts(file, reference)
        assert judged, (mode, wrong)
        assert all(v.passed for v in judged) != wrong, (mode, wrong)
        if not wrong:
            assert all(v.max_abs > 0 for v in judged), mode
            assert all(v.agreement is None or v.agreement > 0.95 for v in judged), mode


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mode"), REFUSED)
def test_what_cannot_be_quantised_is_refused_by_name(name, mode, monkeypatch, tmp_path):
    case = NETWORKS[name]()
    samples = types.ModuleType("samples_of_networks")
    samples.give = lambda: [case.inputs["serving_default"]]
    monkeypatch.setitem(sys.modules, "samples_of_networks", samples)
    target, options = MODES[mode]
    with pytest.raises(CkptActionError, match=REFUSED[name, mode]) as refusal:
        registry()[target].export(case.model, tmp_path, options)
    assert {p.code for p in refusal.value.problems} == {ExitCode.TARGET}
    assert not list(tmp_path.iterdir())
