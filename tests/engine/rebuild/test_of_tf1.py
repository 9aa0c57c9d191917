"""Code that leaves eager execution is refused with its place, never with a traceback."""

from __future__ import annotations

import json

import pytest
from cases import CODE, in_fresh_process

CALLS = {
    "turns_eager_off": "disable_eager_execution",
    "turns_v2_off": "disable_v2_behavior",
    "turns_it_off_and_fails": "disable_eager_execution",
    "makes_it_in_a_graph": "as_default",
    "MakesVariablesInAGraph": "as_default",
    "leaves_a_graph_open": "as_default",
}

PROGRAM = """
import importlib, json, os, sys
import cases
for name in json.loads(sys.argv[1]):
    child = os.fork()
    if not child:
        X = cases.signature(x=("float32", "batch", 4))
        problem = cases.problem_of(cases.rebuilt, f"of_tf1:{name}", X)
        places = [str(problem.where), *problem.details]
        print(json.dumps([name, problem.code.name, problem.message, places]), flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"{name} was not refused")
"""


@pytest.fixture(scope="module")
def refusals():
    """Each in a process of its own, for eager execution cannot be turned on again."""
    lines = in_fresh_process(PROGRAM, json.dumps(list(CALLS))).splitlines()
    return {name: found for name, *found in map(json.loads, lines)}


@pytest.mark.parametrize("entry_point", CALLS)
def test_it_is_refused_where_it_is_done(refusals, entry_point):
    code, message, places = refusals[entry_point]
    assert code == "REBUILD"
    assert "no values" in message
    file = CODE / "of_tf1.py"
    lines = enumerate(file.read_text().splitlines(), 1)
    calls = {f"{file}:{n}" for n, text in lines if f"{CALLS[entry_point]}(" in text}
    assert places[0] in places[1:]
    assert calls & {place.rpartition(":")[0] for place in places}
