"""What the README shows of an export is what an export shows."""

from __future__ import annotations

import re
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest
from command import ckpt_action

ROOT = Path(__file__).resolve().parents[2]
DEPENDING = re.compile(
    r"\d[\d.]* [kM]B|\d[\d.]* s|Keras \d[\d.]*|\b[0-9a-f]{12}\b|\.\.\."
    r"|max abs \S+\)|by \S+ of the \S+ that|\S+ +\S+(?=  proven)"
)
"""On versions and processors: sizes, digests, differences."""


def lines(text: str) -> list[str]:
    plain = (" ".join(DEPENDING.sub("…", line).split()) for line in text.splitlines())
    return [line for line in plain if line]


@pytest.mark.skipif(version("keras").startswith("2."), reason="the README shows Keras 3")
def test_the_readme_shows_every_line_of_the_digits_export(tmp_path):
    folder = tmp_path / "digits"
    shutil.copytree(ROOT / "examples/digits", folder, ignore=shutil.ignore_patterns("dist"))
    readme = (ROOT / "README.md").read_text()
    (sample,) = re.findall(r"^```text\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    run = ckpt_action("export", folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    assert lines(sample) == lines(run.stdout)


def test_the_readme_shows_the_differences_of_another_processor():
    """Equal bytes are for whoever has the processor that the golden file was recorded on."""
    (sample,) = re.findall(
        r"^```text\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    shown = [float(number) for number in re.findall(r"\d[.]\de-\d\d", sample)]
    assert len(shown) == 5
    assert all(0 < number < 1e-4 for number in shown)
