"""The sample's pages in a browser; `python -m tests.report.pictures` takes those of the docs."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ckpt_action.outcome import Change, Run
from ckpt_action.report.page import render
from tests.browser.chromium import HERE as BROWSER
from tests.browser.chromium import browser
from tests.report import sample

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
CHANGES = (
    Change(
        job="digits",
        what="checkpoint",
        before="runs/digits/ckpt-40, step 40",
        after="runs/digits/ckpt-52, step 52",
    ),
    Change(job="digits", what="tolerance rtol", before="default", after="0.001"),
)


@dataclass(frozen=True, kw_only=True)
class Picture:
    name: str
    run: Run
    width: int = 1000
    scheme: str = "light"


def pictures() -> tuple[Picture, ...]:
    many = (replace(sample.digits(), name=f"digits-{number:02}") for number in range(11))
    red = sample.run(sample.captioner(), sample.digits())
    changed = replace(red, previous="dist", changes=CHANGES)
    return (
        Picture(name="report-light", run=sample.RED),
        Picture(name="report-dark", run=sample.run(*many, sample.captioner()), scheme="dark"),
        Picture(name="report-narrow", run=changed, width=380),
    )


def open_pages(wanted: Sequence[Picture], into: Path | None = None) -> list[list[str]]:
    """What is cut off on each page; `into` gets a PNG of each."""
    with tempfile.TemporaryDirectory() as scratch:
        pages = []
        for picture in wanted:
            file = Path(scratch, f"{picture.name}.html")
            file.write_text(render(picture.run), encoding="utf-8")
            place = str(into / f"{picture.name}.png") if into else None
            look = {"width": picture.width, "scheme": picture.scheme}
            pages.append({"file": str(file), "picture": place, **look})
        request = Path(scratch, "request.json")
        request.write_text(json.dumps({"browser": browser(), "pages": pages}))
        command = ["node", BROWSER / "page.mjs", request]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    cut: list[list[str]] = json.loads(done.stdout)
    return cut


if __name__ == "__main__":
    open_pages(pictures(), IMAGES)
