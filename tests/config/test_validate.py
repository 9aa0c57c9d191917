"""`ckpt-action validate` as a person, a pre-commit hook and a workflow call it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ckpt_action.cli import main
from ckpt_action.errors import ExitCode

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DIGITS = ROOT / "examples" / "digits"
CORPUS = ROOT / "tests" / "corpus"


@pytest.fixture
def digits(tmp_path, monkeypatch):
    """The example, whose entry point must not be run."""
    folder = tmp_path / "digits"
    shutil.copytree(DIGITS, folder, ignore=shutil.ignore_patterns("dist", "__pycache__"))
    model = folder / "digits" / "model.py"
    model.write_text(model.read_text() + "\nraise SystemExit('imported')\n")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    return folder


def edit(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_clean_file_says_so_in_one_line(digits, capsys):
    assert main(["validate"]) == 0
    assert capsys.readouterr().out == "model-export.toml: ok (1 model, 2 targets)\n"


def test_a_clean_run_loads_nothing_heavy(digits):
    """Not TensorFlow, not numpy, not the user's code; not even jsonschema and tree-sitter."""
    program = (
        "import sys; from ckpt_action.cli import main; code = main(['validate']);"
        "heavy = {'tensorflow', 'keras', 'tf_keras', 'numpy', 'h5py', 'digits',"
        " 'jsonschema', 'tree_sitter'};"
        "sys.exit(' '.join(heavy & set(sys.modules)) or code)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_a_run_with_problems_loads_no_tensorflow(digits):
    edit(digits / "model-export.toml", "entry-point", "entrypoint")
    program = (
        "import sys; from ckpt_action.cli import main; code = main(['validate']);"
        "heavy = {'tensorflow', 'keras', 'tf_keras', 'numpy', 'h5py', 'digits'};"
        "sys.exit(' '.join(heavy & set(sys.modules)) or code)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (ExitCode.CONFIG, "")


def test_everything_comes_at_once(digits, capsys):
    file = digits / "model-export.toml"
    edit(file, "digits.model:build", "digits.model:biuld")
    edit(file, "golden/", "gold/")
    edit(file, "runs/digits", "run/digits")
    assert main(["validate"]) == ExitCode.CHECKPOINT
    out = capsys.readouterr().out
    assert "help: Did you mean `build`?" in out
    assert 'There is no file "gold/digits.npz"' in out
    assert "matches no checkpoint" in out
    assert out.endswith("model-export.toml: 3 errors\n")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda runs: (runs / "ckpt-40.data-00000-of-00001").unlink(), "is missing"),
        (lambda runs: (runs / "ckpt-40.index").unlink(), "ckpt-40.index is missing"),
        (
            lambda runs: (runs / "ckpt-40.index").write_text(
                "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
            ),
            "Git LFS pointer",
        ),
        (lambda runs: (runs / "ckpt-40.data-00000-of-00001").write_bytes(b"x"), "truncated"),
    ],
)
def test_damaged_checkpoints_are_reported_at_their_key(digits, capsys, damage, words):
    damage(digits / "runs" / "digits")
    assert main(["validate"]) == ExitCode.CHECKPOINT
    out = capsys.readouterr().out
    assert words in out
    assert out.startswith("model-export.toml:5:15: error: ")
    assert "[models.digits.checkpoints]" in out


def test_a_file_of_the_checkpoint_given_as_prefix_is_a_warning(digits, capsys):
    edit(digits / "model-export.toml", "ckpt-*", "ckpt-40.index")
    assert main(["validate"]) == 0
    out = capsys.readouterr().out
    assert 'help: Write "runs/digits/ckpt-40".' in out
    assert out.endswith("model-export.toml: ok (1 model, 2 targets, 1 warning)\n")


def test_weights_without_an_entry_point_cannot_be_rebuilt(digits, capsys):
    edit(digits / "model-export.toml", 'entry-point = "digits.model:build"\n', "")
    assert main(["validate"]) == ExitCode.CONFIG
    assert "The key `entry-point` is missing: ckpt-40" in capsys.readouterr().out


def test_why_a_checkpoint_was_chosen_is_a_note(digits, capsys):
    runs = digits / "runs" / "digits"
    for file in list(runs.glob("ckpt-40.*")):
        shutil.copy(file, file.with_name(file.name.replace("-40", "-9")))
    assert main(["validate"]) == 0
    out = capsys.readouterr().out
    assert "model-export.toml:5:15: note: ckpt-40 is the latest of: ckpt-9, ckpt-40." in out
    assert out.endswith("model-export.toml: ok (1 model, 2 targets)\n")


def test_a_prefix_given_with_its_index_is_not_told_twice(digits, capsys):
    edit(digits / "model-export.toml", "ckpt-*", "ckpt-40.index")
    assert main(["validate"]) == 0
    assert capsys.readouterr().out.count("one file of a checkpoint") == 1


TF1 = """\
version = 1

[models.oldnet]
checkpoints = ["model.ckpt-1"]
targets     = ["saved-model"]
"""


@pytest.fixture
def oldnet(tmp_path, monkeypatch):
    """A TF1 checkpoint with the graph beside it, and no signatures."""
    for file in (ROOT / "tests" / "checkpoint" / "data" / "tf1").glob("model.*"):
        shutil.copy(file, tmp_path)
    (tmp_path / "model-export.toml").write_text(TF1)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_graph_without_signatures_is_told_what_to_write(oldnet, capsys):
    assert main(["validate"]) == ExitCode.SIGNATURE
    out = capsys.readouterr().out
    assert out.startswith("model-export.toml:3:9: error: The graph in model.ckpt-1.meta does not")
    lines = [line.strip() for line in out.splitlines()]
    start = lines.index("[models.oldnet.signatures.serving_default]")
    (oldnet / "model-export.toml").write_text(TF1 + "\n".join(lines[start : start + 3]))
    assert main(["validate"]) == 0, capsys.readouterr().out


def test_code_in_place_of_the_graph_may_derive_its_signatures(oldnet):
    (oldnet / "model.py").write_text("def build(): ...\n")
    edit(oldnet / "model-export.toml", "checkpoints", 'entry-point = "model:build"\ncheckpoints')
    assert main(["validate"]) == 0


def test_several_files_each_get_a_verdict_and_the_gravest_code_wins(digits, capsys):
    (digits / "broken.toml").write_text("version = ")
    edit(digits / "model-export.toml", "ckpt-*", "nothing-*")
    assert main(["validate", "broken.toml", "model-export.toml", "absent.toml"]) == 7
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.endswith(" 1 error")] == [
        "broken.toml: 1 error",
        "model-export.toml: 1 error",
        "absent.toml: 1 error",
    ]


def test_json(digits, capsys):
    edit(digits / "model-export.toml", "golden =", "goldn =")
    assert main(["validate", "--format", "json"]) == ExitCode.CONFIG
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert (file["file"], file["ok"]) == ("model-export.toml", False)
    (problem,) = file["problems"]
    assert problem == {
        "severity": "error",
        "code": "config",
        "exit_code": 3,
        "message": "Unknown key `goldn`.",
        "hint": "Did you mean `golden`?",
        "details": [],
        "file": "model-export.toml",
        "line": 13,
        "column": 1,
        "key_path": "models.digits.verify.goldn",
    }


def test_github_annotations(digits, capsys):
    edit(digits / "model-export.toml", "golden =", "goldn =")
    assert main(["validate", "--format", "github"]) == ExitCode.CONFIG
    annotation, verdict = capsys.readouterr().out.splitlines()
    assert annotation.startswith("::error file=model-export.toml,line=13,col=1,title=")
    assert annotation.endswith(
        "::models.digits.verify.goldn: Unknown key `goldn`. Did you mean `golden`?"
    )
    assert verdict == "model-export.toml: 1 error"


def test_foreign_text_is_no_workflow_command(digits, capsys, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (digits / "model-export.toml").write_text('version = 1\n"##[error]x" = 1\nmodels = {}\n')
    assert main(["validate"]) == ExitCode.CONFIG
    assert "##[" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "case", sorted(path.parent.name for path in CORPUS.glob("*/model-export.toml"))
)
def test_the_corpus(case, monkeypatch, capsys):
    monkeypatch.chdir(CORPUS / case)
    expected = json.loads((CORPUS / case / "case.json").read_text())["expected"]
    code = main(["validate"])
    assert code == (0 if expected == "export" else ExitCode.CHECKPOINT), capsys.readouterr().out


GOLDEN_NAMES = {
    "as declared": ({"in_image", "out_digit"}, ""),
    "outputs by place": ({"in_image", "out_0"}, ""),
    "another input": ({"in_x", "out_digit"}, "`in_x`, `out_digit`"),
    "another output": ({"in_image", "out_class"}, "`in_image`, `out_class`"),
    "an input more": ({"in_image", "in_x", "out_digit"}, "`in_image`, `in_x`, `out_digit`"),
    "an output more": ({"in_image", "out_digit", "out_x"}, "`in_image`, `out_digit`, `out_x`"),
    "no output": ({"in_image"}, "`in_image`"),
}


@pytest.mark.parametrize("case", GOLDEN_NAMES)
def test_a_golden_file_whose_names_are_of_no_signature(case, digits, capsys):
    np = pytest.importorskip("numpy")
    names, listed = GOLDEN_NAMES[case]
    np.savez("golden/digits.npz", **{name: np.zeros(1) for name in names})
    code = main(["validate"])
    said = capsys.readouterr().out
    assert code == (ExitCode.CONFIG if listed else 0), said
    expected = "signature `serving_default` needs `in_image`, `out_digit`."
    assert (f"The golden file has {listed}; {expected}" in said) is bool(listed)


def test_golden_names_are_left_alone_where_no_outputs_are_declared(digits):
    np = pytest.importorskip("numpy")
    edit(digits / "model-export.toml", 'outputs = ["digit"]\n', "")
    np.savez("golden/digits.npz", in_image=np.zeros(1), out_anything=np.zeros(1))
    assert main(["validate"]) == 0
