"""`ckpt-action validate` as a person, a pre-commit hook and a workflow call it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ckpt_action.checkpoint import discover
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
    """Not TensorFlow, not numpy, not the user's code; not even jsonschema and tree-sitter,
    nor the records of what came out of an export, which take a tenth of a clean run."""
    program = (
        "import sys; from ckpt_action.cli import main; code = main(['validate']);"
        "heavy = {'tensorflow', 'keras', 'tf_keras', 'numpy', 'h5py', 'digits',"
        " 'jsonschema', 'tree_sitter', 'ckpt_action.outcome'};"
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


@pytest.fixture
def repository(digits):
    """The example as a git repository, with the file moved to a subfolder of it."""
    (digits / ".git").mkdir()
    (digits / "deploy").mkdir()
    (digits / "model-export.toml").rename(digits / "deploy" / "model-export.toml")
    return digits


@pytest.mark.parametrize("here", [".", "deploy"])
def test_paths_from_another_folder_are_given_from_the_files(repository, here, monkeypatch, capsys):
    monkeypatch.chdir(here)
    file = "deploy/model-export.toml" if here == "." else "model-export.toml"
    assert main(["validate", file]) == ExitCode.CHECKPOINT
    out = capsys.readouterr().out
    for hint in (
        'It lies at "../golden/digits.npz": paths start from this file\'s folder.',
        'It lies in `..`: write `python-path = [".."]` in `[export]`.',
        "It lies at '../runs/digits/ckpt-*': paths start from the folder deploy.",
    ):
        assert f"help: {hint}" in out
    edit(repository / "deploy" / "model-export.toml", '"runs/', '"../runs/')
    edit(repository / "deploy" / "model-export.toml", '"golden/', '"../golden/')
    edit(
        repository / "deploy" / "model-export.toml",
        "version = 1\n",
        'version = 1\n[export]\npython-path = [".."]\n',
    )
    assert main(["validate", file]) == 0


def test_paths_from_the_working_directory_are_given_from_the_files(repository, monkeypatch, capsys):
    (repository / "deploy" / "model-export.toml").rename("model-export.toml")
    (repository / "golden" / "digits.npz").rename("deploy/digits.npz")
    edit(repository / "model-export.toml", '"golden/', '"')
    monkeypatch.chdir("deploy")
    assert main(["validate", "../model-export.toml"]) == ExitCode.CONFIG
    said = capsys.readouterr().out
    assert 'It lies at "deploy/digits.npz": paths start from this file\'s folder.' in said


def test_a_golden_file_in_a_folder_of_the_repository_is_found(repository, capsys):
    edit(repository / "deploy" / "model-export.toml", '"golden/', '"')
    assert main(["validate", "deploy/model-export.toml"]) == ExitCode.CHECKPOINT
    assert 'help: Did you mean "../golden/digits.npz"?' in capsys.readouterr().out


def test_a_golden_file_one_folder_further_down_is_found(digits, capsys):
    edit(digits / "model-export.toml", '"golden/', '"')
    assert main(["validate"]) == ExitCode.CONFIG
    assert 'help: Did you mean "golden/digits.npz"?' in capsys.readouterr().out
    shutil.copytree("golden", "another")
    assert main(["validate"]) == ExitCode.CONFIG
    assert "Did you mean" not in capsys.readouterr().out


def test_the_file_of_a_folder_around_is_named(digits, monkeypatch, capsys):
    monkeypatch.chdir("golden")
    assert main(["validate"]) == ExitCode.CONFIG
    assert "help: `ckpt-action init` writes a first one." in capsys.readouterr().out
    (digits / ".git").mkdir()
    for verb in ("validate", "plan", "export"):
        assert main([verb]) == ExitCode.CONFIG
        hint = "There is one in `..`: give `../model-export.toml`, or go there first."
        assert f"help: {hint}" in "".join(capsys.readouterr())


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


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_weights_in_hdf5_are_told_from_a_model(digits, capsys, command, monkeypatch):
    """Both say the same of the same file; without h5py `validate` says nothing of it."""
    pytest.importorskip("h5py")
    edit(digits / "model-export.toml", 'entry-point = "digits.model:build"\n', "")
    edit(digits / "model-export.toml", "runs/digits/ckpt-*", "m.weights.h5")
    shutil.copy(ROOT / "tests" / "checkpoint" / "data" / "keras3_files" / "m.weights.h5", digits)
    assert main([command]) == ExitCode.CONFIG
    said = "The key `entry-point` is missing: m.weights.h5 (keras-weights-h5) holds weights, but"
    assert said in "".join(capsys.readouterr())
    monkeypatch.setattr(discover, "find_spec", lambda name: None)
    assert main(["validate"]) == 0


def test_a_damaged_hdf5_file_that_has_to_hold_the_model_is_opened(digits, capsys):
    pytest.importorskip("h5py")
    edit(digits / "model-export.toml", 'entry-point = "digits.model:build"\n', "")
    edit(digits / "model-export.toml", "runs/digits/ckpt-*", "m.weights.h5")
    whole = (ROOT / "tests" / "checkpoint" / "data" / "keras3_files" / "m.weights.h5").read_bytes()
    (digits / "m.weights.h5").write_bytes(whole[:200] + bytes(len(whole) - 200))
    assert main(["validate"]) == ExitCode.CHECKPOINT
    assert "m.weights.h5 is damaged" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_weights_beside_their_architecture_show_the_entry_point(digits, capsys, command):
    edit(digits / "model-export.toml", 'entry-point = "digits.model:build"\n', "")
    folder = digits / "runs" / "digits"
    (folder / "log.json").write_text('{"loss": 1}')
    (folder / "model.json").write_text('{"class_name": "Sequential", "config": {}}')
    assert main([command]) == ExitCode.CONFIG
    shown = "".join(capsys.readouterr())
    assert "model.json beside it says how" in shown
    assert 'model_from_json(open("runs/digits/model.json").read())' in shown
    (folder / "other.json").write_text('{"class_name": "Sequential", "config": {}}')
    assert main([command]) == ExitCode.CONFIG
    assert "beside it says how" not in "".join(capsys.readouterr())


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
        "code": 3,
        "message": "Unknown key `goldn`.",
        "hint": "Did you mean `golden`?",
        "details": [],
        "where": {
            "file": "model-export.toml",
            "line": 13,
            "column": 1,
            "key_path": "models.digits.verify.goldn",
        },
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


def test_a_golden_file_without_signatures_has_inputs_and_outputs_only(digits, capsys):
    np = pytest.importorskip("numpy")
    file = digits / "model-export.toml"
    text = file.read_text()
    start = text.index("[models.digits.signatures")
    file.write_text(text[:start] + text[text.index("[models.digits.verify]") :])
    np.savez("golden/digits.npz", in_a=np.zeros(1), out_0=np.zeros(1))
    assert main(["validate"]) == 0
    np.savez("golden/digits.npz", x=np.zeros(1), out_0=np.zeros(1), y=np.zeros(1))
    assert main(["validate"]) == ExitCode.CONFIG
    said = capsys.readouterr().out
    assert "The golden file has `x`, `y`, which is no input and no output." in said


def test_golden_names_are_left_alone_where_no_outputs_are_declared(digits):
    np = pytest.importorskip("numpy")
    edit(digits / "model-export.toml", 'outputs = ["digit"]\n', "")
    np.savez("golden/digits.npz", in_image=np.zeros(1), out_anything=np.zeros(1))
    assert main(["validate"]) == 0
