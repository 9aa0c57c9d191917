"""Rules of the house that no single module can keep: who imports what, and static checks."""

from __future__ import annotations

import ast
import graphlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "ckpt_action"
HEAVY = {"tensorflow", "keras", "tf_keras", "h5py", "numpy"}


def imports(file: Path, *, top_level: bool) -> set[str]:
    """Names of the packages that `file` imports; `top_level` leaves out those inside functions."""
    tree = ast.parse(file.read_text())
    nodes = tree.body if top_level else list(ast.walk(tree))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def test_tensorflow_is_imported_under_engine_only():
    outside = [f for f in PACKAGE.rglob("*.py") if PACKAGE / "engine" not in f.parents]
    assert outside
    offenders = [
        str(f.relative_to(ROOT))
        for f in outside
        if imports(f, top_level=False) & {"tensorflow", "keras", "tf_keras"}
    ]
    assert offenders == []


def test_the_checkpoint_and_config_packages_load_nothing_heavy():
    files = [
        *PACKAGE.joinpath("checkpoint").rglob("*.py"),
        *PACKAGE.joinpath("config").rglob("*.py"),
    ]
    assert files
    assert {str(f): names for f in files if (names := imports(f, top_level=True) & HEAVY)} == {}


def test_reading_the_registry_imports_no_tensorflow():
    program = (
        "import sys; from ckpt_action.engine.targets import registry; print(*registry());"
        "assert not {'tensorflow', 'keras', 'numpy'} & set(sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "saved-model" in run.stdout.split()


def test_the_parent_never_imports_the_engine():
    """Only children may: everything else reads the registry at most."""
    allowed = {"ckpt_action.engine.targets"}
    for file in PACKAGE.rglob("*.py"):
        if PACKAGE / "engine" in file.parents:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                "ckpt_action.engine"
            ):
                assert node.module in allowed, f"{file.relative_to(ROOT)} imports {node.module}"


@pytest.mark.parametrize("package", ["ckpt_action", "ckpt_action.engine"])
def test_no_two_packages_import_each_other(package):
    """The registry of targets is read by all, for the schema; nothing else of the engine is."""
    folder = ROOT.joinpath(*package.split("."))
    uses: dict[str, set[str]] = {}
    for file in folder.rglob("*.py"):
        room = file.relative_to(folder).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module != "ckpt_action.engine.targets":
                place = (node.module or "").removeprefix(f"{package}.")
                if place != node.module:
                    uses.setdefault(room, set()).add(place.split(".")[0])
    graph = {room: used - {room} for room, used in uses.items()}
    assert len([*graphlib.TopologicalSorter(graph).static_order()]) > 20


def tracked_text() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    files = [ROOT / name for name in listing.split("\0") if name]
    return [f for f in files if f.is_file() and b"\0" not in f.read_bytes()[:4096]]


def test_no_tracked_file_names_a_path_of_one_machine():
    home = re.compile("/" + r"(?:work|root|home/\w+)/(?:main|envs|scratch|\.pyenv|\w+/)")
    allowed = {"tests/corpus", "tests/zoo/data"}  # other people's files, as they are
    found = [
        f"{f.relative_to(ROOT)}:{number}"
        for f in tracked_text()
        if not any(str(f.relative_to(ROOT)).startswith(a) for a in allowed)
        for number, line in enumerate(f.read_text(errors="replace").splitlines(), 1)
        if home.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "command", [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)], ids=" ".join
)
def test_static_checks_are_clean(command):
    run = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_make_target_in_the_documents_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        named = set(re.findall(r"`make ([a-z-]+)`", document.read_text()))
        assert named <= targets, f"{document.name}: {named - targets}"


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize("target", ["demo", "test"])
def test_make_says_what_takes_minutes_before_it_begins(target, tmp_path):
    # The suite itself runs under make, whose levels and flags would show in what this one prints.
    apart = {
        name: value
        for name, value in os.environ.items()
        if name not in {"MAKELEVEL", "MAKEFLAGS", "MFLAGS"}
    }
    run = subprocess.run(
        ["make", "-n", f"VENV={tmp_path}/venv", target],
        cwd=ROOT,
        env=apart,
        capture_output=True,
        text=True,
        check=True,
    )
    first = run.stdout.splitlines()[0]
    assert first.startswith('echo "Fetching TensorFlow')
    assert "minute" in first


def test_warnings_and_notes_are_made_by_their_own_functions():
    found = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "ckpt_action").rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Problem"
        if {"Severity.WARNING", "Severity.NOTE"} & {ast.unparse(k.value) for k in call.keywords}
    }
    assert found == {"ckpt_action/errors.py"}
