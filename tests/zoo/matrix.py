"""Runs the packed cases, or a whole zoo, in both environments: `docs/restore-matrix.md`.

python tests/zoo/matrix.py docs/restore-matrix.md [--zoo build/zoo] [--results <file>]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from holes import hole_for
from make_zoo import WORLDS
from pack import unpack
from running import ENVIRONMENTS, complaint, read_case, run

INTRODUCTION = """# Which checkpoints restore

{cases} small checkpoints that isolated environments of these TensorFlow versions wrote, restored by
ckpt-action in TensorFlow {tensorflow}, and run against the outputs that the writing world recorded
(rtol 1e-4, atol 1e-5). A cell says how many of the cases gave the right numbers, first under
Keras 3, then under `tf_keras`; a dash: not taken there, for only files of Keras 2 are. Everything
else was refused with the reason below. Wrong numbers: {wrong}.

Written by `python tests/zoo/matrix.py docs/restore-matrix.md`; `tests/zoo/README.md` says what the
names stand for.
"""

Result = Mapping[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("document", type=Path)
    parser.add_argument("--zoo", type=Path, help="a whole zoo instead of the packed cases")
    parser.add_argument(
        "--results", type=Path, help="lines of an earlier run, instead of a new one"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        zoo = options.zoo or Path(folder)
        files = sorted(zoo.rglob("case.json")) if options.zoo else unpack(zoo)
        if options.results:
            lines = options.results.read_text(encoding="utf-8").splitlines()
            results = [json.loads(line) for line in lines]
        else:
            results = [result for each in ENVIRONMENTS for result in run(files, each)]
        text = page(zoo, results)
        complaints = [found for result in results if (found := complaint(result))]
    options.document.write_text(text, encoding="utf-8")
    print("\n".join([*complaints, f"{len(results)} runs, {len(complaints)} complaints"]))
    return 1 if complaints else 0


def page(zoo: Path, results: Iterable[Result]) -> str:
    """What runs of cases of the unpacked `zoo` show."""
    import tensorflow as tf

    rows = [{**read_case(Path(result["case"])), **result} for result in results]
    not_written = _not_written(zoo)
    wrong = sum(row["outcome"] in ("wrong", "crashed") for row in rows)
    cases = len({row["case"] for row in rows})
    parts = [INTRODUCTION.format(cases=cases, tensorflow=tf.__version__, wrong=wrong or "none")]
    parts += ["## Totals\n", _totals(rows)]
    parts += ["## By way of saving\n", _table(rows, _saver)]
    parts += ["## By way of building\n", _table(rows, lambda row: row["architecture"])]
    parts += ["## Refused\n", _refused(rows)]
    parts += ["## Not written\n", "What the worlds themselves could not write.\n"]
    parts += [f"- {reason}: {_listed(what)}" for reason, what in sorted(not_written.items())]
    return "\n".join(parts) + "\n"


def _saver(row: Result) -> str:
    return f"tf1: {row['saver']}" if row["architecture"] == "tf1" else row["saver"]


def _count(rows: Iterable[Result]) -> str:
    cells = []
    for environment in ENVIRONMENTS:
        mine = [row for row in rows if row["environment"] == environment]
        right = sum(row["outcome"] == "right" for row in mine)
        cells.append(f"{right}/{len(mine)}" if mine else "-")
    return " · ".join(cells)


def _table(rows: list[Result], key: Callable[[Result], str]) -> str:
    cells = defaultdict(list)
    for row in rows:
        cells[key(row), row["world"]].append(row)
    worlds = [world for world in WORLDS if any(world == found for _, found in cells)]
    lines = ["| | " + " | ".join(worlds) + " |", "|---" * (len(worlds) + 1) + "|"]
    for name in sorted({name for name, _ in cells}):
        counts = [_count(cells[name, w]) if cells[name, w] else "" for w in worlds]
        lines.append(f"| `{name}` | " + " | ".join(counts) + " |")
    return "\n".join(lines) + "\n"


def _totals(rows: list[Result]) -> str:
    lines = [
        "| world | environment | route | right | refused | wrong |",
        "|---|---|---|---|---|---|",
    ]
    counts = Counter(
        (row["world"], row["environment"], row.get("route", ""), row["outcome"]) for row in rows
    )
    for world, environment, route in sorted({key[:3] for key in counts}):
        right, refused, wrong, crashed = (
            counts[world, environment, route, outcome]
            for outcome in ("right", "refused", "wrong", "crashed")
        )
        name = route or "refused"
        lines.append(
            f"| {world} | {environment} | {name} | {right} | {refused} | {wrong + crashed} |"
        )
    return "\n".join(lines) + "\n"


def _refused(rows: list[Result]) -> str:
    reasons = defaultdict(list)
    for row in rows:
        if row["outcome"] != "right":
            hole = hole_for(dict(row), row["environment"])
            where = f"{row['world']}/{row['architecture']}/{row['saver']} ({row['environment']})"
            reasons[hole.reason if hole else f"unexpected: {row['outcome']}"].append(where)
    lines = [f"- **{reason}** {_listed(where)}" for reason, where in sorted(reasons.items())]
    return "\n".join(lines) + "\n"


def _listed(names: list[str], limit: int = 6) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:limit])
    return f"{len(names)}: {shown}" + (", …" if len(names) > limit else "")


def _not_written(zoo: Path) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = defaultdict(list)
    for file in sorted(zoo.glob("*/*/holes.json")):
        for hole in json.loads(file.read_text(encoding="utf-8")):
            where = f"{file.parent.parent.name}/{hole['architecture']}/{hole['saver']}"
            reasons[hole["reason"]].append(where)
    reasons["Orbax needs JAX beside TensorFlow; such folders are recognised and declined"] = []
    return reasons


if __name__ == "__main__":
    raise SystemExit(main())
