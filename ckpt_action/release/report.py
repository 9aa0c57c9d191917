"""What a release tells the GitHub job it is part of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ckpt_action.manifest import SUMS
from ckpt_action.release.remote import Release
from ckpt_action.report.figures import human_bytes
from ckpt_action.report.markup import code, markdown
from ckpt_action.report.workflow_commands import write_outputs


def publish_release(release: Release, assets: Path, environ: Mapping[str, str]) -> None:
    """The outputs `url`, `assets-dir` and `checksums`, and a table of `assets` in the summary."""
    if path := environ.get("GITHUB_OUTPUT"):
        values = {"url": release.page, "assets-dir": assets, "checksums": assets / SUMS}
        write_outputs(Path(path), {name: str(value) for name, value in values.items()})
    if path := environ.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.write(_summary(release, assets))


def _summary(release: Release, assets: Path) -> str:
    state = "A draft" if release.draft else "Published"
    lines = [f"## 📦 {state}: {markdown(release.tag)}", "", markdown(release.page), ""]
    lines += ["| asset | size | sha256 |", "|---|--:|---|"]
    for line in (assets / SUMS).read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        size = human_bytes((assets / name).stat().st_size)
        lines.append(f"| {code(name)} | {size} | {code(digest)} |")
    return "\n".join(lines) + "\n"
