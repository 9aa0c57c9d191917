"""Run as a program: export cases in every format, and print the digest of every file.

python export_each.py FOLDER {NAME: [[TARGET, OPTIONS], ...], ...}
"""

from __future__ import annotations

import hashlib
import json
import sys
import types
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2] / "browser"))


def main(folder: Path, wanted: dict[str, list[tuple[str, dict[str, Any]]]]) -> None:
    import keras_cases
    import module_cases
    import networks
    import web_cases

    from ckpt_action.engine.targets import registry
    from ckpt_action.errors import CkptActionError

    cases = web_cases.CASES | keras_cases.CASES | module_cases.CASES | networks.NETWORKS
    samples = sys.modules["samples_of_cases"] = types.ModuleType("samples_of_cases")
    for name, exports in wanted.items():
        case = cases[name]()
        samples.give = lambda given=case.inputs: list(given.items())
        for number, (target, options) in enumerate(exports):
            place = folder / name / f"{number}-{target}"
            place.mkdir(parents=True)
            try:
                registry()[target].export(case.model, place, options)
            except CkptActionError as error:
                (place / "refused").write_text(str(error))
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    digests = {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }
    print(json.dumps(digests))


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
