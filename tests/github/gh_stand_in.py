"""What `proof.yml` asks of GitHub's command line, by the API that its own `gh` calls."""

from __future__ import annotations

import argparse
import json
import os
import urllib.request
from pathlib import Path
from typing import Any


def ask(method: str, path: str, accept: str = "application/vnd.github+json") -> bytes:
    url = f"{os.environ['GITHUB_API_URL']}{path}"
    request = urllib.request.Request(url, headers={"Accept": accept}, method=method)
    request.add_unredirected_header("Authorization", f"Bearer {os.environ['GH_TOKEN']}")
    with urllib.request.urlopen(request) as answer:
        content: bytes = answer.read()
    return content


def find(repository: str, tag: str) -> Any:
    """A draft too, as `gh` does."""
    releases = json.loads(ask("GET", f"/repos/{repository}/releases"))
    return next(release for release in releases if release["tag_name"] == tag)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="+")
    parser.add_argument("--repo")
    parser.add_argument("--dir", type=Path)
    parser.add_argument("--jq")
    parser.add_argument("--yes", action="store_true")
    parser.add_argument("--cleanup-tag", action="store_true")
    args = parser.parse_args()
    match args.words:
        case ["api", path]:
            assert args.jq == '.assets[] | .digest + "  " + .name'
            for asset in json.loads(ask("GET", f"/{path}"))["assets"]:
                print(f"{asset['digest']}  {asset['name']}")
        case ["release", "download", tag]:
            args.dir.mkdir()
            for asset in find(args.repo, tag)["assets"]:
                path = f"/repos/{args.repo}/releases/assets/{asset['id']}"
                (args.dir / asset["name"]).write_bytes(ask("GET", path, "application/octet-stream"))
        case ["release", "delete", tag]:
            assert args.yes
            ask("DELETE", f"/repos/{args.repo}/releases/{find(args.repo, tag)['id']}")
        case ["attestation", "verify", file]:
            assert Path(file).is_file()


if __name__ == "__main__":
    main()
