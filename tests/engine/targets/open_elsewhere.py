"""Run as a program: open artifacts from their files and say what they hold and compute.

    python open_elsewhere.py REQUEST.json

The request is a list of {"format", "folder", "inputs": {signature: npz}, "results"}. Beside
`results` come `<results>.<signature>.npz` and `<results>.json` with payloads or the error.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(request: Path) -> None:
    from ckpt_action.codec import to_data
    from ckpt_action.engine.arrays import load, save
    from ckpt_action.engine.targets import registry

    for task in json.loads(request.read_text()):
        answer: dict[str, object] = {}
        try:
            artifact = registry()[task["format"]].open_artifact(Path(task["folder"]), ())
            answer["signatures"] = to_data(artifact.signatures())
            answer["payloads"] = dict(artifact.payloads())
            for signature, inputs in task["inputs"].items():
                for call in ("first", "second"):
                    outputs = artifact.run(signature, load(Path(inputs)))
                    save(Path(f"{task['results']}.{signature}.{call}.npz"), outputs)
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {error}"
        Path(f"{task['results']}.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
