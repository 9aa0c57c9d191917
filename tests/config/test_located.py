"""Problems that are found late get a place in the configuration all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from ckpt_action.config.load import load_config
from ckpt_action.config.located import of_signatures
from ckpt_action.errors import ExitCode, Problem, Severity, Where

CONFIG = """\
version = 1

[models.a]
entry-point = "code:build"
checkpoints = ["runs/*"]
targets     = ["saved-model"]

[models.a.signatures.serve]
inputs = { x = { dtype = "float32", shape = ["batch", 9] } }

[models.a.signatures.other]
inputs = { x = { dtype = "float32", shape = [3] } }
"""
SHAPE = "Correct `signatures.serve.inputs.x.shape`, which is [9]."


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "code.py").write_text("def build(): ...\n")
    (tmp_path / "model-export.toml").write_text(CONFIG)
    return tmp_path / "model-export.toml"


@pytest.mark.parametrize(
    ("message", "hint", "place"),
    [
        ("signature serve: cannot be traced", "", "8:22 signatures.serve"),
        ("signature other declares 2 outputs", "", "11:22 signatures.other"),
        ("1 variable of another shape", SHAPE, "9:45 signatures.serve.inputs.x.shape"),
        ("signature third: cannot be traced", "", None),
        ("the design of it", "", None),
    ],
)
def test_a_signature_is_found_by_its_key(file, message, hint, place):
    (model,) = load_config(file).config.models
    problem = Problem(code=ExitCode.SIGNATURE, message=message, hint=hint)
    (found,) = of_signatures([problem], model, file)
    if place is None:
        assert found.where is None
        return
    where = found.where
    shown = f"{where.line}:{where.column} {where.key_path.removeprefix('models.')}"
    assert shown == place.replace("signatures", "a.signatures", 1)


def test_a_golden_file_is_found_by_its_key(file):
    (model,) = load_config(file).config.models
    where = Where(file="/any/golden.npz", key_path="verify.golden")
    problem = Problem(code=ExitCode.CONFIG, message="It does not fit.", where=where)
    (found,) = of_signatures([problem], model, file)
    assert found.where.file == file.as_posix()
    assert found.where.key_path == "models.a.verify.golden"
    assert found.where.line is not None


def test_warnings_and_what_has_a_place_stay_as_they_are(file):
    (model,) = load_config(file).config.models
    text = "signature serve: cannot be traced"
    where = Where(file="code.py", line=1)
    problems = (
        Problem(code=ExitCode.SIGNATURE, message=text, severity=Severity.WARNING),
        Problem(code=ExitCode.SIGNATURE, message=text, where=where),
    )
    assert of_signatures(problems, model, file) == problems
