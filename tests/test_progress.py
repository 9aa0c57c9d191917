"""The lines that say what is being done, where names and paths are anybody's."""

from __future__ import annotations

import io
import re
import threading

import pytest

from ckpt_action.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_no_name_is_a_command_of_the_runner_or_of_a_terminal(stream):
    with stream() as written, Progress(written) as progress:
        progress("net", "verifying ##[error]no")
        progress("net", "reading a\n::error::b")
        progress.done("net", "unchanged, taken from x\x1b[2J\n  ::warning::y")
        said = written.getvalue().replace("\r\x1b[K", "")
    assert "verifying # #[error]no" in said
    assert "##[" not in said
    assert "\x1b" not in said
    assert not [line for line in said.splitlines() if line.lstrip().startswith("::")]


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_what_goes_on_is_told_of_again_with_its_stage(stream):
    stages = iter(["", "rebuilding the model"])
    told = threading.Event()

    def stage():
        found = next(stages, None)
        if found is None:
            told.set()
        return found or ""

    with stream() as written, Progress(written, interval=0.001) as progress:
        progress("net", "exporting")
        with progress.waiting("net", stage):
            assert told.wait(60)
        progress.done("net", "failed")
        said = re.sub(r"\d+ s", "N s", written.getvalue().replace("\r\x1b[K", "\n"))
    lines = [line for line in said.split("\n") if line]
    assert lines[:3] == [
        "net: exporting",
        "net: exporting (N s)",
        "net: rebuilding the model (N s)",
    ]
    assert lines[-1] == "net: failed"


def test_nothing_is_told_of_what_ends_at_once():
    with io.StringIO() as written, Progress(written) as progress:
        with progress.waiting("net", lambda: "rebuilding the model"):
            pass
        assert written.getvalue() == ""
