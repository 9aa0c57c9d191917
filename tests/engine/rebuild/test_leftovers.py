"""Files that one run of the code hands to the next."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ckpt_action.engine.rebuild import leftovers


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_what_the_kernel_makes_up_is_no_file_of_the_first_run(tmp_path, monkeypatch):
    clock = iter((1,))  # whatever has a time is from between both runs
    monkeypatch.setattr(leftovers.time, "time_ns", lambda: next(clock))
    cache = tmp_path / "cache"
    cache.write_text("from the first run")
    between = leftovers.Leftovers()
    clock = iter((2**62,))
    with between.watched():
        cache.read_text()
        Path("/proc/self/status").read_text()
    assert between.read == [cache]


def test_a_file_that_both_runs_write_is_handed_on_only_where_it_is_read(tmp_path, monkeypatch):
    clock = iter((1, 2**62))
    monkeypatch.setattr(leftovers.time, "time_ns", lambda: next(clock))
    log, appended, cache = (tmp_path / name for name in ("log", "appended", "cache"))
    for file in (log, appended, cache):
        file.write_text("from the first run")
    between = leftovers.Leftovers()
    with between.watched():
        log.write_text("from the second run")
        with appended.open("a") as file:
            file.write("and the second")
        with cache.open("r+") as file:
            file.read()
    assert between.read == [cache]
