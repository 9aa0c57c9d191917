"""Exporting small models for TensorFlow.js, and running them in Node where its packages are."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from handmade import Case, spec, traced, traced_model

from ckpt_action.engine.targets import registry

PACKAGES = Path(__file__).resolve().parents[2] / "browser"
TARGET = registry()["tfjs"]

needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not (PACKAGES / "node_modules").is_dir(),
    reason="node, or tests/browser/node_modules, is not there: npm ci --prefix tests/browser",
)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).normal(size=shape).astype("float32")


def case_of(
    call: Callable[..., Any], variables: Mapping[str, np.ndarray] = {}, **inputs: np.ndarray
) -> Case:
    """`call` takes a module with `variables` and the inputs; their first axis is free."""
    module = tf.Module()
    for name, value in variables.items():
        setattr(module, name, tf.Variable(value, name=name))
    specs = [spec(n, v.dtype.name if v.dtype != object else "string", "batch", *v.shape[1:])
             for n, v in inputs.items()]  # fmt: skip
    signature = traced(lambda **fed: call(module, **fed), *specs)
    model = traced_model(module, signature)
    return Case(model=model, inputs={"serving_default": inputs}, keep=module)


def export(case: Case, folder: Path, **options: Any) -> Any:
    folder.mkdir(exist_ok=True)
    return TARGET.export(case.model, folder, options)


def run(folder: Path, case: Case, signature: str = "serving_default") -> dict[str, np.ndarray]:
    found = TARGET.open_artifact(folder, ()).run(signature, case.inputs[signature])
    return dict(found)


@pytest.fixture
def in_node(monkeypatch) -> None:
    monkeypatch.setenv("CKPT_ACTION_TFJS", str(PACKAGES))
