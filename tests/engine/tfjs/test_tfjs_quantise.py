"""Weights in fewer bits: what is lost, what must not be, and what the browser makes of them."""

from __future__ import annotations

import json

import keras_cases
import numpy as np
import pytest
from tfjs_running import TARGET, case_of, export, in_node, needs_node, noise, run  # noqa: F401

from ckpt_action.engine.tfjs.quantise import quantised, restored
from ckpt_action.errors import CkptActionError, ExitCode

DTYPES = ("float16", "uint16", "uint8")


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("shift", [0.0, 5.0, -5.0])
def test_a_step_is_all_that_is_lost(dtype, shift):
    value = noise(40, 30) + np.float32(shift)
    found = quantised(value, dtype)
    assert found is not None
    stored, entry = found
    again = restored(stored, entry)
    assert stored.dtype == dtype
    assert again.dtype == np.float32
    assert np.abs(again - value).max() <= entry["scale"] * 1.01


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_zero_stays_zero(dtype):
    value = np.where(np.arange(64) % 3 > 0, noise(64), 0).astype("float32")
    assert (value == 0).any()
    assert (value < 0).any()
    stored, entry = quantised(value, dtype)
    assert (restored(stored, entry)[value == 0] == 0).all()


def test_a_constant_array_is_exact():
    value = np.full(9, -2.5, "float32")
    for dtype in ("uint8", "uint16"):
        assert (restored(*quantised(value, dtype)) == value).all()


@pytest.mark.parametrize(
    "value",
    [np.float32(1e-12), np.full(1, 1e-12, "float32"), np.arange(9), np.full(3, np.inf, "float32")],
    ids=["a scalar", "one number", "integers", "no numbers"],
)
def test_what_is_no_weight_stays(value):
    assert all(quantised(np.asarray(value), dtype) is None for dtype in DTYPES)


def test_what_float16_cannot_hold_stays():
    """As the -1e9 of an attention mask, which would become minus infinity."""
    assert quantised(np.array([-1e9, 0], "float32"), "float16") is None


LARGEST = {"float16": 0.01, "uint16": 0.001, "uint8": 0.05}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["convolutions", "transformer"])
def test_models_lose_less_than_the_default_allows(name, dtype, tmp_path):
    case = keras_cases.CASES[name]()
    plain, small = tmp_path / "plain", tmp_path / "small"
    export(case, plain)
    written = export(case, small, quantize={"weights": dtype})
    size = {f: sum(s.stat().st_size for s in f.glob("*.bin")) for f in (plain, small)}
    assert size[small] < size[plain] * {"uint8": 0.45}.get(dtype, 0.7)
    live = case.live("serving_default")["logits"]
    error = np.abs(run(small, case)["logits"] - live).max() / np.abs(live).max()
    assert 1e-7 < error < LARGEST[dtype] == written.max_error
    assert written.payloads == {}
    assert set(written.transformed) == {v.path for v in case.model.variables}
    assert "quantised" in written.unproven["payload"]


@needs_node
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.usefixtures("in_node")
def test_node_restores_the_same_weights(dtype, tmp_path, monkeypatch):
    case = keras_cases.CASES["convolutions"]()
    export(case, tmp_path, quantize={"weights": dtype})
    found = run(tmp_path, case)["logits"]
    monkeypatch.delenv("CKPT_ACTION_TFJS")
    np.testing.assert_allclose(found, run(tmp_path, case)["logits"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_patterns_choose_the_weights(dtype, tmp_path):
    case = case_of(
        lambda m, x: {"y": x @ m.kernel + m.bias},
        {"kernel": noise(6, 4), "bias": noise(4)},
        x=noise(3, 6),
    )
    written = export(case, tmp_path, quantize={"weights": dtype, "only": ["ker*"]})
    (manifest,) = json.loads((tmp_path / "model.json").read_text())["weightsManifest"]
    narrow = {
        w["name"]: w["quantization"]["dtype"] for w in manifest["weights"] if "quantization" in w
    }
    assert narrow == {"kernel": dtype}
    assert written.transformed == ("kernel",)
    assert written.unproven == {}
    assert set(written.payloads.values()) == {"bias"}


def test_a_pattern_that_matches_nothing_is_an_error(tmp_path):
    case = case_of(lambda m, x: {"y": x @ m.kernel}, {"kernel": noise(6, 4)}, x=noise(3, 6))
    with pytest.raises(CkptActionError, match="'kernal', which matches no weight") as found:
        export(case, tmp_path, quantize={"weights": "uint8", "only": ["kernal", "k*"]})
    assert found.value.problems[0].code is ExitCode.CONFIG
    assert "kernel" in found.value.problems[0].hint
    assert not list(tmp_path.iterdir())


def test_max_error_is_the_users(tmp_path):
    case = case_of(lambda m, x: {"y": x @ m.kernel}, {"kernel": noise(6, 4)}, x=noise(3, 6))
    assert TARGET.export(case.model, tmp_path, {"max-error": 0.3}).max_error == 0.3
