"""Entry points are read, not run: what is plainly wrong is said, the rest is accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from ckpt_action.config.load import load_config
from ckpt_action.report.problems import problem_text

FILE = Path("model-export.toml")


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Messages about `entry`, with `arguments`, in a repository of `files`."""
    monkeypatch.chdir(tmp_path)

    def run(files, entry="model:build", arguments=""):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)
        FILE.write_text(
            f'version = 1\n[models.m]\nentry-point = "{entry}"\ncheckpoints = ["c"]\n'
            f'targets = ["saved-model"]\n{f"arguments = {arguments}" if arguments else ""}\n'
        )
        return [problem.message for problem in load_config(FILE).problems]

    return run


ACCEPTED = {
    "def": "def build(): ...",
    "class": "class build: ...",
    "assignment": "build = make()",
    "annotated": "build: object = make()",
    "unpacked": "a, (build, *c) = make()",
    "import": "from elsewhere import build",
    "import as": "from elsewhere import f as build",
    "star import": "from elsewhere import *",
    "lazy": "def __getattr__(name): ...",
    "in a branch": "try:\n    import x\nexcept ImportError:\n    def build(): ...\n",
    "in a match": "match 1:\n    case 1:\n        def build(): ...\n",
    "with": "with open('x') as build: pass",
    "walrus": "print(build := 3)",
    "loop": "for build in (): pass",
    "latin-1": "# -*- coding: latin-1 -*-\n# \xe4\ndef build(): ...".encode("latin-1"),
    "saved array": "import numpy as np\nnp.save('x', 1)\ndef build(): ...",
    "odd escape": "x = '\\d'\ndef build(): ...",
}


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("build().fit(x, y)", "build().fit"),
        ("model = build()\nfor _ in range(3):\n    h = model.fit(x)\n", "model.fit"),
        ("with strategy.scope():\n    model.save_weights('w')\n", "model.save_weights"),
        ("if DEBUG:\n    pass\nelse:\n    build().save('m.keras')\n", "build().save"),
        ("m = tf.train.CheckpointManager(c, 'd', 3)\nm.save()", "tf.train.CheckpointManager"),
    ],
)
def test_a_module_that_trains_when_it_is_imported_is_warned_of(check, source, call):
    (message,) = check({"model.py": f"def build(): ...\n{source}"})
    assert f"`{call}` is called outside of any function" in message
    assert message.endswith("importing it trains.")
    for line in ("if __name__ == '__main__':", "def train():", "class Run:"):
        body = "".join(f"    {part}\n" for part in source.splitlines())
        assert check({"model.py": f"def build(): ...\n{line}\n{body}"}) == []


@pytest.mark.parametrize("source", ACCEPTED.values(), ids=ACCEPTED)
def test_what_defines_the_name_is_accepted(check, source):
    assert check({"model.py": source}) == []


@pytest.mark.parametrize(
    "source",
    [
        "def make(): ...",
        "def make():\n    build = 1",
        "class A:\n    def build(self): ...",
        "build",
        "",
    ],
)
def test_what_does_not_define_it_is_refused(check, source):
    assert check({"model.py": source}) == ["`model.py` does not define `build`."]


@pytest.mark.parametrize(
    ("source", "arguments", "message"),
    [
        ("def build(units): ...", "{ unit = 1 }", "takes no argument `unit`."),
        ("def build(units): ...", "", "needs the argument `units`."),
        ("def build(*, units): ...", "", "needs the argument `units`."),
        ("def build(units, /): ...", "{ units = 1 }", "takes no argument `units`."),
        ("def build(*args): ...", "{ args = 1 }", "takes no argument `args`."),
        ("class build:\n    def __init__(self, n): ...", "", "needs the argument `n`."),
        ("class build:\n    def __init__(self): ...", "{ self = 1 }", "takes no argument `self`."),
    ],
)
def test_arguments_that_do_not_fit_are_refused(check, source, arguments, message):
    assert f"`model:build` {message}" in check({"model.py": source}, arguments=arguments)


@pytest.mark.parametrize(
    "source",
    [
        "def build(units, depth=1): ...",
        "def build(**kwargs): ...",
        "@wrapped\ndef build(): ...",
        "class build(Base): ...",
        "@dataclass\nclass build:\n    units: int",
        "class build:\n    def __new__(cls, units): ...\n    def __init__(self): ...",
        "class build(metaclass=M):\n    def __init__(self): ...",
        "if x:\n    def build(): ...\nelse:\n    def build(units): ...",
        "build = functools.partial(make)",
    ],
)
def test_arguments_that_fit_or_cannot_be_told_are_accepted(check, source):
    assert check({"model.py": source}, arguments="{ units = 1 }") == []


def test_a_package_and_a_method_of_a_class(check):
    files = {"pkg/__init__.py": "class Net:\n    def make(): ..."}
    assert check(files, "pkg:Net.make") == []
    assert check(files, "pkg:Nte.make") == ["`pkg/__init__.py` does not define `Nte`."]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("build = 'mobile'", "a string"),
        ("build: str = f'{x}'", "a string"),
        ("build = 3", "a number"),
        ("build = [make()]", "a list"),
        ("build = None", ""),
        ("build = 'x'\nbuild = make()", ""),
        ("build = 'x'\ndef f():\n    global build\n    build = make", ""),
        ("build = 'x'\nfrom other import *", ""),
        ("try:\n    build = 'x'\nexcept NameError:\n    pass", ""),
    ],
)
def test_what_is_certainly_no_callable_is_refused(check, source, kind):
    said = [f"`model:build` is {kind}, not a function or a class."] if kind else []
    assert check({"model.py": source}) == said


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("model:samples", ""),
        ("libb:nope", "There is no module `libb` below this file's folder."),
        ("model:nope", "`model.py` does not define `nope`."),
        ("model:needing", "`model:needing` needs the argument `n`."),
        ("model:SAMPLES", "`model:SAMPLES` is a list, not a function or a class."),
    ],
)
def test_representative_data_is_checked_as_an_entry_point_is(check, data, message):
    source = "def build(): ...\ndef samples(): ...\ndef needing(n): ...\nSAMPLES = [1]\n"
    check({"model.py": source})
    target = f'{{ format = "tflite", quantize = "int8", representative-data = "{data}" }}'
    FILE.write_text(FILE.read_text().replace('"saved-model"', target))
    problems = load_config(FILE).problems
    assert [problem.message for problem in problems] == ([message] if message else [])
    assert all(p.where.key_path.endswith("targets[0].representative-data") for p in problems)


@pytest.mark.parametrize("exports", [True, False])
def test_a_module_to_import_that_is_nowhere_is_a_warning_where_exports_run(
    check, exports, monkeypatch
):
    """Elsewhere the packages of the code need not be installed."""
    monkeypatch.setattr("ckpt_action.config.entry_point.exports_here", lambda: exports)
    check({"model.py": "def build(): ..."})
    line = 'import = ["libb", "json", "keras.layers"]\ntargets'
    FILE.write_text(FILE.read_text().replace("targets", line))
    loaded = load_config(FILE)
    said = "There is no module `libb` below this file's folder, and this Python has none installed."
    assert [p.message for p in loaded.problems] == ([said] if exports else [])
    assert loaded.config is not None


def test_a_compiled_module_cannot_be_told(check):
    assert check({"model.cpython-311-x86_64-linux-gnu.so": b"\x7fELF"}) == []


def test_the_frameworks_and_what_is_installed_are_accepted(check):
    assert check({}, "keras.applications:MobileNet") == []
    assert check({}, "json:loads") == []


def test_a_module_in_the_working_directory_is_not_installed(check, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / FILE).write_text(
        'version = 1\n[models.m]\nentry-point = "model:build"\ncheckpoints = ["c"]\n'
        'targets = ["saved-model"]\n'
    )
    (tmp_path / "model.py").write_text("def build(): ...")
    (problem,) = load_config(Path("sub") / FILE).problems
    assert problem.message == "There is no module `model` below this file's folder."


def hints():
    return [problem.hint for problem in load_config(FILE).problems]


@pytest.mark.parametrize("file", ["src/model.py", "src/model/__init__.py"])
def test_the_folder_that_python_path_lacks_is_named(check, file):
    check({file: "def build(): ..."})
    assert hints() == ['It lies in `src`: write `python-path = ["src"]` in `[export]`.']


def test_no_folder_is_named_that_is_a_package_or_one_of_several_or_an_environment(check):
    check({"pkg/__init__.py": "", "pkg/model.py": "", "env/pyvenv.cfg": "", "env/model.py": ""})
    assert hints() == ["Add the folder it lies in to `python-path` of `[export]`."]
    check({"one/model.py": "", "two/model.py": ""})
    assert hints() == ["Add the folder it lies in to `python-path` of `[export]`."]


def test_a_module_that_is_named_as_a_file_is_corrected(check):
    check({"pkg/net.py": "def build(): ...", "net.py": "def build(): ..."}, "net.py:build")
    assert hints() == ["A module is named without `.py`: write `net`."]
    check({}, "pkg.net.py:build")
    assert hints() == ["A module is named without `.py`: write `pkg.net`."]


def test_the_folder_of_the_file_may_be_what_python_path_lacks(check):
    check({"src/other.py": "", "utils2/__init__.py": "def build(): ..."}, "utils2:build")
    export = '[export]\npython-path = ["src"]\n[models.m]'
    FILE.write_text(FILE.read_text().replace("[models.m]", export))
    hint = 'It lies in this file\'s folder: write `python-path = ["src", "."]` in `[export]`.'
    assert hints() == [hint]


def test_what_is_missing_is_given_as_a_line_to_copy(check):
    check({"model.py": "def build(width, *, depth, x=1): ..."})
    assert set(hints()) == {"Write `arguments = { width = ..., depth = ... }`, as in training."}
    check({"model.py": "def build(width, *, depth, x=1): ..."}, arguments="{ width = 1 }")
    assert hints() == ["Add `depth = ...` to `arguments`, as in training."]


def test_a_syntax_error_is_shown_where_it_is(check):
    check({"pkg/model.py": "import x\n\ndef build(:\n    pass\n"}, "pkg.model:build")
    (problem,) = load_config(FILE).problems
    assert str(problem.where).startswith("pkg/model.py:3:")
    assert "    3 | def build(:" in problem_text(problem)


@pytest.mark.parametrize("content", [b"def build(): ...\x00", b"\xff\xfe", "(" * 5000])
def test_a_file_that_is_no_source_is_a_problem(check, content):
    (message,) = check({"model.py": content})
    assert message.startswith(
        ("The entry point's file cannot be read", "The file of the entry point `model:build`")
    )
