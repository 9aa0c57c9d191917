"""Every comparison in one run: `make bench`, or `python -m benchmarks [--large] [--write]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import exports, freeze, small_verbs
from benchmarks.figure import figure
from benchmarks.floor import floor
from benchmarks.page import write_page
from benchmarks.results import Comparison, table
from benchmarks.stages import stage_table

DOCS = Path(__file__).resolve().parent.parent / "docs"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--large", action="store_true", help="a transformer of 2 GB as well")
    parser.add_argument("--write", action="store_true", help="put the results into docs/")
    parser.add_argument("--rounds", type=int, default=2, help="of which the best one counts")
    parser.add_argument(
        "--scratch", type=Path, help="keep models and checkpoints here; default: a new folder"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ckpt-action-bench-") as temporary:
        scratch = (args.scratch or Path(temporary)).absolute()
        found = [_measured(one) for one in _comparisons(scratch, args)]
        least = floor(scratch, args.rounds)
        stages = stage_table(scratch)
    freezings = [freeze.freezing("VGG16")]
    print(*table(found), sep="\n")
    for way in least:
        print(f"floor: {way.name}: {way.cost.wall:.2f} s, {way.cost.peak / 2**20:.0f} MiB")
    print(*freeze.lines(freezings), *stages, sep="\n")
    if args.write:
        (DOCS / "benchmarks.svg").write_text(figure(found), encoding="utf-8")
        write_page(DOCS / "benchmarks.md", found, least, freezings, stages)


def _comparisons(scratch: Path, args: argparse.Namespace) -> list[Callable[[], Comparison]]:
    rounds = args.rounds
    chosen: list[Callable[[], Comparison]] = [
        lambda: small_verbs.validate(scratch, 5 * rounds),
        lambda: small_verbs.inspect(scratch, rounds),
        lambda: exports.one_model(scratch, "lstm", rounds),
        lambda: exports.one_model(scratch, "mobilenet-v2", rounds),
        lambda: exports.one_model(scratch, "vgg16", rounds),
        lambda: exports.many_models(scratch, rounds),
    ]
    if args.large:
        chosen.append(lambda: exports.transformer(scratch, rounds))
    return chosen


def _measured(measure: Callable[[], Comparison]) -> Comparison:
    found = measure()
    print(f"{found.title}: {found.wall:.2f} of the time", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    main()
