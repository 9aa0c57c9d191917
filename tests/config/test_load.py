"""From file to records: values, defaults, paths; and no file gives a traceback."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ckpt_action.config.load import load_config
from ckpt_action.config.records import (
    EntryPoint,
    InputSpec,
    OutputSpec,
    Restore,
    Signature,
    TargetSpec,
    Verify,
)
from ckpt_action.config.vocabulary import parse_size
from ckpt_action.errors import Severity
from ckpt_action.report.problems import problem_text

HERE = Path(__file__).resolve().parent
FILE = Path("model-export.toml")
SMALLEST = (
    'version = 1\n[models.m]\nentry-point = "keras.applications:MobileNet"\n'
    'checkpoints = ["ckpt"]\ntargets = ["saved-model"]\n'
)


@pytest.fixture
def complete(project):
    shutil.copy(HERE / "valid/complete.toml", FILE)
    config = load_config(FILE).config
    assert config is not None
    return config


def test_every_key_reaches_its_field(complete, project):
    model = complete.models[0]
    assert (complete.file, complete.folder) == (project / FILE, project)
    assert complete.output_dir == project / "out" / "dist"
    assert complete.python_path == (project / "src",)
    assert model.name == "captioner"
    assert model.entry_point == EntryPoint(
        module="captioner.build", attribute="decoder", arguments={"vocabulary": 5000, "depth": 3}
    )
    assert model.checkpoints == ("runs/*/tf_ckpts", "runs/final.weights.h5")
    assert (model.select, model.keras) == ("all", "2")
    assert model.op_libraries == (project / "build" / "zero_out.so",)
    assert model.imports == ("captioner.layers", "json")
    assert (model.safe_mode, model.lazy_init, model.timeout) == (False, False, 1.5)
    assert model.restore == Restore(
        root="gan.decoder", weights="ema", allow_missing=("head/*",), allow_unused=("step",)
    )
    assert model.signatures[0] == Signature(
        name="serving_default",
        method="decode",
        inputs=(
            InputSpec(name="ids", dtype="int32", shape=("batch", "time")),
            InputSpec(name="image", dtype="float32", shape=("batch", 224, 224, 3)),
        ),
        outputs=(OutputSpec(name="logits"),),
    )
    assert model.signatures[1].method == "__call__"
    assert model.targets == (
        TargetSpec(format="saved-model", name="saved-model"),
        TargetSpec(
            format="frozen-graph",
            name="web",
            options={"lower-control-flow": True},
            max_size=20_000_000,
        ),
    )
    golden = project / "tests" / "golden" / "captioner.npz"
    assert model.verify == Verify(golden=golden, samples=2, seed=7, rtol=1e-5, atol=0.0)


def test_a_tf1_graph_names_tensors(complete):
    (signature,) = complete.models[2].signatures
    assert complete.models[2].entry_point is None
    assert signature.inputs[0].tensor == "scope/Placeholder:0"
    assert signature.outputs == (OutputSpec(name="y", tensor="BiasAdd_4:0"),)
    assert signature.constants == {
        "keep_prob:0": 1.0,
        "is_training:0": False,
        "mask:0": [[1, 0], [0, 1]],
    }


def test_defaults_fill_in_and_are_replaced(complete):
    captioner, at_step, oldnet, archive = complete.models
    assert (captioner.timeout, at_step.timeout) == (1.5, 60.0)
    assert [target.format for target in archive.targets] == ["saved-model"]
    assert [target.format for target in oldnet.targets] == ["saved-model", "frozen-graph"]
    assert at_step.select == 1200


def test_what_is_left_out_has_the_documented_default(project):
    FILE.write_text(SMALLEST)
    config = load_config(FILE).config
    assert config is not None
    model = config.models[0]
    assert (config.output_dir, config.python_path) == (project / "dist", (project,))
    assert (model.select, model.keras, model.timeout) == ("latest", "auto", 1800.0)
    assert (model.safe_mode, model.lazy_init, model.signatures) == (True, True, ())
    assert model.verify == Verify()
    assert model.restore == Restore()


def test_a_file_in_a_folder_of_the_repository_may_look_around_in_it(project):
    folder = project / "sub"
    folder.mkdir()
    (folder / FILE).write_text(SMALLEST.replace('"ckpt"', '"../runs/ckpt"'))
    assert load_config(folder / FILE).problems == ()
    shutil.rmtree(project / ".git")
    (problem,) = load_config(folder / FILE).problems
    assert problem.message == '"../runs/ckpt" leads out of the repository.'


def test_a_worktree_is_a_repository_too(project):
    """There `.git` is a file."""
    folder = project / "sub"
    folder.mkdir()
    (project / ".git").rmdir()
    (project / ".git").write_text("gitdir: elsewhere\n")
    (folder / FILE).write_text(SMALLEST.replace('"ckpt"', '"../runs/ckpt"'))
    assert load_config(folder / FILE).problems == ()


@pytest.mark.parametrize("path", ["{root}/ckpt", "{root}/sub/../ckpt", "{root}/../elsewhere/ckpt"])
def test_an_absolute_path_in_the_repository_is_given_as_a_relative_one(project, path):
    folder = project / "sub"
    folder.mkdir()
    written = path.format(root=project.as_posix())
    (folder / FILE).write_text(SMALLEST.replace('"ckpt"', f'"{written}"'))
    (problem,) = load_config(folder / FILE).problems
    assert "is not relative to this file" in problem.message
    assert problem.hint == ("" if "elsewhere" in path else 'Write "../ckpt".')


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_out_of_the_repository_is_refused(project, tmp_path):
    (tmp_path / "outside").mkdir()
    (project / "runs").symlink_to(tmp_path / "outside")
    FILE.write_text(SMALLEST.replace('"ckpt"', '"runs/ckpt-*"'))
    (problem,) = load_config(FILE).problems
    assert problem.message == '"runs/ckpt-*" leads out of the repository through a link.'


def test_an_output_folder_that_is_a_file_is_refused(project):
    (project / "dist").write_text("")
    FILE.write_text(SMALLEST)
    assert [p.message for p in load_config(FILE).problems] == ['"dist" is a file, not a folder.']


def test_signatures_without_the_default_one_are_a_warning(project):
    FILE.write_text(
        SMALLEST + '[models.m.signatures.f]\ninputs.x = { dtype = "int8", shape = [] }\n'
    )
    loaded = load_config(FILE)
    assert loaded.config is not None
    assert [problem.severity for problem in loaded.problems] == [Severity.WARNING]
    assert "serving_default" in loaded.problems[0].message


def test_the_same_artifact_twice_is_a_warning(project):
    FILE.write_text(SMALLEST.replace('["saved', '[{ format = "saved-model", name = "a" }, "saved'))
    loaded = load_config(FILE)
    assert loaded.config is not None
    assert [problem.severity for problem in loaded.problems] == [Severity.WARNING]


def test_windows_line_ends_move_nothing(project):
    FILE.write_bytes(SMALLEST.replace("saved-model", "saved_model").replace("\n", "\r\n").encode())
    (problem,) = load_config(FILE).problems
    assert (problem.where.line, problem.where.column) == (5, 12)
    assert "\r" not in problem_text(problem)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing.toml", "There is no such file."),
        ("src", "The file cannot be read: Is a directory."),
    ],
)
def test_what_cannot_be_read_is_a_problem(project, path, message):
    (problem,) = load_config(Path(path)).problems
    assert (problem.message, problem.where.file) == (message, path)


def test_endless_nesting_is_a_problem(project):
    FILE.write_text(f"version = {'[' * 100_000}")
    (problem,) = load_config(FILE).problems
    assert "nested too deeply" in problem.message


@pytest.mark.parametrize(
    ("text", "size"),
    [("1 B", 1), ("20 MB", 20_000_000), ("20MB", 20_000_000), ("1.5 GiB", 1_610_612_736)],
)
def test_sizes(text, size):
    assert parse_size(text) == size


TEXT = (HERE / "valid/complete.toml").read_text()
PIECES = st.one_of(
    st.sampled_from(['"', "'", "[", "]", "{", "}", "=", ".", "\n", "#", "[[", "\\", "-", "\x00"]),
    st.sampled_from(["true", "1e5", "nan", "1979-05-27", '"ä"', "[models]", "\ud800", "version"]),
    st.text(max_size=3),
)


@st.composite
def mutated_text(draw):
    text = TEXT
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 0, 1, 2, 9, 60])))
        text = text[:start] + draw(PIECES) + text[end:]
    return text


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(mutated_text())
def test_no_text_gives_a_traceback(project, text):
    FILE.write_bytes(text.encode("utf-8", "surrogatepass"))
    loaded = load_config(FILE)
    errors = [p for p in loaded.problems if p.severity is Severity.ERROR]
    assert (loaded.config is None) is bool(errors)
    for problem in loaded.problems:
        assert problem.where is not None
        assert problem.message.endswith((".", "?"))
        assert problem_text(problem)


@pytest.mark.parametrize("root", ["src", "./src/", "."])
def test_code_named_by_its_file_is_named_from_the_python_path(project, root):
    build = project / "src" / "nets" / "a.py"
    build.parent.mkdir(parents=True)
    build.write_text("def build():\n    pass\n")
    written = SMALLEST.replace("keras.applications:MobileNet", "src/nets/a.py:build")
    FILE.write_text(f'{written}[export]\npython-path = ["{root}"]\n')
    (problem,) = load_config(FILE).problems
    module = "src.nets.a" if root == "." else "nets.a"
    assert problem.hint == f"Write `{module}:build`."


def test_a_misspelt_key_is_not_missing_as_well(project):
    FILE.write_text(SMALLEST.replace("targets =", "target ="))
    (problem,) = load_config(FILE).problems
    assert "Unknown key `target`" in problem.message
    FILE.write_text(SMALLEST.replace("targets =", "tensor ="))
    assert any("`targets` is missing" in p.message for p in load_config(FILE).problems)
