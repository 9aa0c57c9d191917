"""The documents say what the code does."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ckpt_action import commands, status
from ckpt_action.config.load import load_config
from ckpt_action.engine.targets import registry
from ckpt_action.errors import ExitCode, gravest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def documented_exit_codes() -> dict[int, tuple[str, str]]:
    rows = re.findall(
        r"^\| (\d+) \| `(\w+)` \| (.+) \|$", (ROOT / "docs/exit-codes.md").read_text(), re.MULTILINE
    )
    return {int(code): (name, cause) for code, name, cause in rows}


def docstrings_of_exit_codes() -> dict[str, str]:
    tree = ast.parse((ROOT / "ckpt_action/errors.py").read_text())
    body = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "ExitCode").body
    return {
        first.targets[0].id: second.value.value
        for first, second in itertools.pairwise(body)
        if isinstance(first, ast.Assign) and isinstance(second, ast.Expr)
    }


def test_every_exit_code_is_documented_in_its_own_words():
    documented = documented_exit_codes()
    assert {code: name for code, (name, _) in documented.items()} == {
        c.value: c.name for c in ExitCode
    }
    described = docstrings_of_exit_codes()
    assert len(described) > 10
    assert {name: cause for name, cause in documented.values() if name in described} == described


def test_the_gravest_code_is_as_documented():
    assert gravest([ExitCode.CONFIG, ExitCode.VERIFY, ExitCode.RESTORE]) is ExitCode.VERIFY
    assert gravest([ExitCode.VERIFY, ExitCode.UNEXPECTED]) is ExitCode.UNEXPECTED
    assert gravest([]) is ExitCode.OK


def test_the_configuration_says_which_proofs_are_asked_for():
    text = (ROOT / "docs/configuration.md").read_text("utf-8")
    (sentence,) = re.findall(r"what was not\nshown of (.+?):\n", text)
    assert set(re.findall(r"`(\w+)`", sentence)) == status.ALWAYS_ASKED | {"values"}
    for name in status.ALWAYS_ASKED:
        assert f"| `{name}` | model |" in text


def test_the_readme_lists_every_target_in_its_own_words():
    table = README.split("<!-- targets -->")[1].split("<!-- /targets -->")[0]
    rows = re.findall(r"^\| `(\S+)` \| (.+) \| `(\S+)` \|$", table, re.MULTILINE)
    assert {name: (text, extra) for name, text, extra in rows} == {
        target.FORMAT: (target.SUMMARY, target.EXTRA) for target in registry().values()
    }


def test_one_sentence_says_everywhere_what_it_is():
    action = re.findall(r"^description: (.+)$", (ROOT / "action.yml").read_text(), re.MULTILINE)
    project = re.findall(
        r'^description = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )
    call = [sys.executable, "-m", "ckpt_action", "--help"]
    shown = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    documents = (README, (ROOT / "CHANGELOG.md").read_text(), shown)
    (sentence,) = action
    assert len(sentence) <= 125  # or the Marketplace refuses it
    assert project == action
    assert [sentence.removeprefix("Turn ") in " ".join(text.split()) for text in documents] == [
        True
    ] * 3
    formats = {"SavedModel", "frozen graph", "TensorFlow.js", "TFLite", "ONNX"}
    assert all(name in sentence for name in formats)
    assert len(formats) == len(registry())


def test_the_readme_lists_every_verb():
    block = README.split("## Command")[1].split("```")[1]
    assert {line.split()[1] for line in re.findall(r"^ckpt-action .+", block, re.MULTILINE)} == set(
        commands.names()
    )


def test_the_readme_shows_no_digest_of_files_that_depend_on_versions():
    (sample,) = re.findall(r"^```text\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert "sha256" in sample
    assert re.findall(r"\b[0-9a-f]{12}\b", sample) == []


def toml_blocks() -> list[tuple[str, str]]:
    documents = [
        ROOT / "README.md",
        *sorted(ROOT.glob("docs/*.md")),
        *ROOT.glob("examples/*/README.md"),
    ]
    found = []
    for document in documents:
        blocks = re.findall(r"^```toml\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)
        found += [(f"{document.name}:{n}", block) for n, block in enumerate(blocks)]
    return [(name, block) for name, block in found if "version = 1" in block]


@pytest.mark.parametrize(("name", "block"), toml_blocks(), ids=lambda v: v if ".md" in v else "")
def test_every_documented_configuration_is_valid(name, block, tmp_path):
    """As far as the words go: the files that it names are not there."""
    (tmp_path / "model-export.toml").write_text(block)
    problems = load_config(tmp_path / "model-export.toml").problems
    assert [str(p) for p in problems if not p.message.startswith(("No ", "There is no"))] == []


@pytest.mark.parametrize("document", [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))], ids=str)
def test_relative_links_lead_somewhere(document):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
    relative = [link for link in links if "://" not in link]
    assert [link for link in relative if not (document.parent / link).exists()] == []
