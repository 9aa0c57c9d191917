"""Keras 2 models that were restored, in formats that know fewer ops: by the outputs of Keras 2."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from pack import unpack
from run_formats import FORMATS
from running import ENVIRONMENTS, Environment, read_case, run

PACKAGES = HERE.parent / "browser"
RIGHT = {
    "attention", "augmentation", "autoencoder", "bag_of_words", "block_model", "cnn", "cnn_3d",
    "custom_names", "cvae", "depthwise_cnn", "dict_inputs", "dict_outputs", "discriminator", "dqn",
    "ensemble", "functional_subclass", "integer_and_bool",
}  # fmt: skip
"""What all formats hold, in both environments."""


@pytest.fixture(scope="module")
def cases(tmp_path_factory) -> dict[str, Path]:
    """Architecture to its `save_weights` file of TensorFlow 2.15."""
    found = {f: read_case(f) for f in unpack(tmp_path_factory.mktemp("zoo"))}
    return {
        case["architecture"]: file
        for file, case in found.items()
        if (case["world"], case["saver"]) == ("tf215-keras2", "save_weights")
    }


@pytest.fixture(autouse=True)
def tensorflow_js(monkeypatch) -> None:
    """TensorFlow.js runs its artifacts where it is at hand."""
    if shutil.which("node") and (PACKAGES / "node_modules").is_dir():
        monkeypatch.setenv("CKPT_ACTION_TFJS", str(PACKAGES))


def outcomes(files: Iterable[Path], environment: Environment) -> dict[tuple[str, str], str]:
    """(architecture, format) to what became of it."""
    return {
        (read_case(Path(result["case"]))["architecture"], target): result.get(target, "died")
        for result in run(files, environment, "run_formats.py")
        for target in FORMATS
    }


def bad(found: dict[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """What is neither right nor refused by name."""
    allowed = ("refused: ", "not restored: ")
    return {k: v for k, v in found.items() if v != "right" and not v.startswith(allowed)}


def moved(file: Path, folder: Path) -> Path:
    """A copy of a case of which one recorded output is another by a percent."""
    shutil.copytree(file.parent.parent, folder)
    copy = folder / file.parent.name / file.name
    golden = copy.parent / read_case(copy)["goldens"][0]
    with np.load(golden) as data:
        arrays = dict(data)
    arrays["out_0"].reshape(-1)[0] *= 1.01
    np.savez(golden, **arrays)
    return copy


def test_a_slice_is_right_or_refused_by_name_and_another_number_is_seen(cases, tmp_path):
    files = [cases["attention"], cases["lstm"], moved(cases["depthwise_cnn"], tmp_path / "moved")]
    found = outcomes(files, "keras-3")
    assert bad(found).keys() == {("depthwise_cnn", target) for target in FORMATS}
    assert all(text.startswith("wrong: ") for text in bad(found).values())
    refused = {key for key, text in found.items() if text.startswith("refused")}
    assert refused == {("lstm", "tflite")}
    assert "'sequential_1/lstm_1" in found["lstm", "tflite"]


@pytest.mark.slow
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_all_architectures_are_right_or_refused_by_name(cases, environment):
    found = outcomes(cases.values(), environment)
    assert bad(found) == {}
    right = {name for name, _ in found if all(found[name, t] == "right" for t in FORMATS)}
    assert right >= RIGHT
    assert len(RIGHT) >= 12
