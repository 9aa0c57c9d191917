"""What the user's own code does wrong, and what the message says about it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cases import CODE, KERAS_3, problem_of, rebuilt, signature

from ckpt_action.engine.rebuild.user_modules import import_module
from ckpt_action.engine.user_code import is_users
from ckpt_action.errors import CkptActionError, ExitCode

X = signature(x=("float32", "batch", 2))


def test_a_raised_error_names_the_users_own_line_and_all_lines_on_the_way():
    problem = problem_of(rebuilt, "trouble:raises", X, arguments={"size": 5})
    assert problem.code is ExitCode.REBUILD
    assert "ValueError: no data of size 5" in problem.message
    line = (CODE / "trouble.py").read_text().splitlines()[problem.where.line - 1]
    assert line.strip().startswith("raise ValueError")
    assert [d.split(" in ")[1].split(":")[0] for d in problem.details] == ["raises", "_inner"]
    assert not any("ckpt_action/engine" in detail for detail in problem.details)


@pytest.mark.parametrize(
    ("entry_point", "code", "message", "hint"),
    [
        ("trouble:exits", ExitCode.REBUILD, "sys.exit(3)", "__main__"),
        ("trouble:is_interrupted", ExitCode.REBUILD, "raised KeyboardInterrupt", "training data"),
        ("trouble:raises_what_is_no_exception", ExitCode.REBUILD, "odd", "training data"),
        ("ends:build", ExitCode.REBUILD, "sys.exit('usage: train.py DATA')", "__main__"),
        ("trouble:returns_none", ExitCode.REBUILD, "returned None", "return model"),
        ("trouble:returns_class", ExitCode.REBUILD, "the class Module", "instance"),
        ("trouble:returns_pair", ExitCode.REBUILD, "a tuple of Module, str", "model alone"),
        ("trouble:returns_dict", ExitCode.REBUILD, "a dict of Module", "model alone"),
        ("trouble:returns_tensor", ExitCode.REBUILD, "Tensor", "tf.Module"),
        ("trouble:returns_number", ExitCode.REBUILD, "12 (of type int)", "tf.Module"),
        ("trouble:returns_symbolic", ExitCode.REBUILD, "KerasTensor", "keras.Model("),
        ("trouble:returns_checkpoint", ExitCode.REBUILD, "a Checkpoint", "tf.Module"),
        ("trouble:returns_generator", ExitCode.REBUILD, "a generator", "tf.Module"),
        ("trouble:returns_coroutine", ExitCode.REBUILD, "a coroutine", "tf.Module"),
        ("trouble:returns_empty", ExitCode.REBUILD, "Empty", "attributes"),
        ("trouble:model", ExitCode.CONFIG, "object of type Module", "return model"),
        ("trouble:return_none", ExitCode.CONFIG, "no `return_none`", "`returns_none`"),
        ("model:build", ExitCode.CONFIG, "no module model", "models"),
        ("inside:build", ExitCode.CONFIG, "no module inside", '"shapes"'),
        ("trouble:imports_misplaced", ExitCode.CONFIG, "no module inside", '"shapes"'),
        ("needs_package:x", ExitCode.ENVIRONMENT, "cv2_of_nobody", "pip install cv2-of-nobody"),
        ("trouble:imports_missing", ExitCode.ENVIRONMENT, "skimage_of_nobody", "file of yours"),
        ("trouble:imports_old_api", ExitCode.ENVIRONMENT, "tensorflow.contrib", "version"),
        ("relative:x", ExitCode.REBUILD, "relative import", "package.module"),
    ],
)
def test_each_trouble_has_its_cause_and_its_way_out(entry_point, code, message, hint):
    problem = problem_of(rebuilt, entry_point, X)
    assert problem.code is code
    assert message in problem.message
    assert hint in problem.hint


def test_a_module_in_the_folder_of_the_configuration_that_python_path_leaves_out(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "utils_of_nobody").mkdir()
    (tmp_path / "utils_of_nobody" / "__init__.py").touch()
    with pytest.raises(CkptActionError) as caught:
        import_module("utils_of_nobody", (tmp_path / "src", tmp_path))
    (problem,) = caught.value.problems
    assert problem.hint == (
        'It lies in the folder of the configuration: set `python-path = ["src", "."]`.'
    )


def test_a_builtin_module_is_no_file_of_the_users(monkeypatch):
    monkeypatch.chdir(CODE)
    assert not is_users(Path("<frozen abc>"), [CODE])
    assert is_users(Path("trouble.py"), [CODE])


def test_a_syntax_error_is_shown_where_it_is(tmp_path):
    (tmp_path / "wrong_syntax.py").write_text("VALUE = 1\ndef broken(:\n")
    problem = problem_of(rebuilt, "wrong_syntax:x", X, folder=tmp_path)
    assert problem.code is ExitCode.REBUILD
    assert "SyntaxError" in problem.message
    assert (problem.where.file, problem.where.line) == (str(tmp_path / "wrong_syntax.py"), 2)


def test_arguments_that_do_not_fit_are_the_configurations_fault():
    problem = problem_of(rebuilt, "trouble:raises", X, arguments={"sise": 5})
    assert problem.code is ExitCode.CONFIG
    assert "raises(size=3)" in problem.hint


def test_a_method_of_a_class_may_be_the_entry_point_and_may_print(capfd):
    model = rebuilt("trouble:Holder.build", X)
    assert "printed while building" in capfd.readouterr().out
    assert model.family == "module"


def test_the_sources_are_the_users_files_and_nothing_else():
    made = rebuilt("models:sequential")
    assert not made.from_file
    sources = made.sources
    assert CODE / "models.py" in sources
    assert all(path.is_relative_to(CODE) for path in sources)


def test_a_path_of_the_configuration_comes_first(tmp_path):
    (tmp_path / "json_like.py").write_text("from models import sequential as build\n")
    model = rebuilt("json_like:build", folder=tmp_path)
    assert model.sources == (tmp_path / "json_like.py",)
    assert sys.path[0] == str(tmp_path)


def test_a_module_to_import_first_is_imported_first(tmp_path):
    (tmp_path / "registers_first.py").write_text("import os; os.environ['SEEN_FIRST'] = '1'\n")
    (tmp_path / "reads_it.py").write_text(
        "import os; assert os.environ.pop('SEEN_FIRST')\nfrom models import sequential as build\n"
    )
    rebuilt("reads_it:build", folder=tmp_path, imports=("registers_first",))


def test_a_model_of_another_keras_than_the_declared_one_is_refused():
    here, there = ("3", "2") if KERAS_3 else ("2", "3")
    assert rebuilt("models:sequential", keras=here).family == f"keras-{here}"
    problem = problem_of(rebuilt, "models:sequential", keras=there)
    assert problem.code is ExitCode.REBUILD
    assert f'`keras = "{there}"` is declared' in problem.message
    assert f"returned a model of Keras {here}" in problem.message
    assert "write `tf.keras`" in problem.hint
    assert rebuilt("trouble:Holder.build", X, keras=there).family == "module"


def test_another_backend_of_keras_is_refused(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    problem = problem_of(rebuilt, "models:sequential")
    assert problem.code is ExitCode.ENVIRONMENT
    assert "jax" in problem.message
