"""Readers that share no code with TensorFlow agree, and `docs/consumers.md` is what they say."""

from __future__ import annotations

from pathlib import Path

import consumer_table
import numpy as np
import pytest
from consumer_table import READERS, RIGHT, WRONG, missing, page, results
from networks import NETWORKS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "consumers.md"
INDEPENDENT = {
    "saved-model": ("openvino",),
    "frozen-graph": ("openvino", "opencv"),
    "tflite": ("openvino",),
    "onnx": ("openvino", "opencv"),
}
OTHERS = {
    "saved-model": ("tensorflow-2.15",),
    "frozen-graph": ("tensorflow-2.15",),
    "tfjs": ("chromium-wasm",),
}
KNOWN_WRONG = {("transposed_group_norm", "tflite", "openvino")}


def committed() -> dict[tuple[str, str, str], str]:
    found, readers, target = {}, [], ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            target, readers = cells[0].strip("`"), cells[1:]
        elif line.startswith("| ") and readers:
            found |= {(cells[0], target, r): c for r, c in zip(readers, cells[1:], strict=True)}
    return found


def test_readers_that_are_not_tensorflow_compute_what_the_model_does(monkeypatch):
    monkeypatch.setattr(consumer_table, "READERS", INDEPENDENT)
    found = list(results(["cnn"]))
    assert len(found) == 6
    assert {result for *_, result in found} == {RIGHT}


@pytest.mark.parametrize("target", OTHERS)
def test_so_do_an_older_tensorflow_and_a_browser(target, monkeypatch):
    (reader,) = OTHERS[target]
    if why := missing(reader):
        pytest.skip(why)
    monkeypatch.setattr(consumer_table, "READERS", {target: OTHERS[target]})
    found = results(["several_inputs_and_outputs"])
    assert [result for *_, result in found] == [RIGHT]


def test_other_numbers_are_called_wrong():
    """By how far they lie apart, whatever they lie around."""
    wanted = {"y": 300 + np.linspace(-1, 1, 50, dtype="float32")}
    assert consumer_table._agrees(wanted, wanted)
    for change in (1e-3, np.nan):
        other = wanted["y"].copy()
        other[7] += change
        assert not consumer_table._agrees({"y": other}, wanted)
    assert not consumer_table._agrees({"z": wanted["y"]}, wanted)
    assert not consumer_table._agrees({"y": wanted["y"][:-1]}, wanted)


def test_the_page_has_every_network_and_no_wrong_number_that_is_not_known():
    cells = committed()
    wanted = {(n, t, r) for n in NETWORKS for t, readers in READERS.items() for r in readers}
    assert set(cells) == wanted
    assert {key for key, result in cells.items() if result == WRONG} == KNOWN_WRONG
    own = {
        "session", "c-api", "saved_model_cli", "tensorflow-2.15", "onnxruntime", "chromium-cpu",
        "chromium-wasm", "chromium-webgl", "node",
    }  # fmt: skip
    assert {result for (_, _, reader), result in cells.items() if reader in own} == {RIGHT}


@pytest.mark.slow
def test_the_committed_page_is_what_a_run_says():
    for reader in {r for readers in READERS.values() for r in readers}:
        if why := missing(reader):
            pytest.skip(why)
    text = PAGE.read_text(encoding="utf-8")
    assert page(text, results(NETWORKS)) == text
