"""Run as a program: export cases in every format, and print the digest of every file.

python export_each.py FOLDER NAME...
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path


def main(folder: Path, names: list[str]) -> None:
    import keras_cases
    import module_cases
    import networks

    from ckpt_action.engine.targets import registry
    from ckpt_action.errors import CkptActionError

    for name in names:
        case = (keras_cases.CASES | module_cases.CASES | networks.NETWORKS)[name]()
        for target in registry():
            place = folder / name / target
            place.mkdir(parents=True)
            try:
                registry()[target].export(case.model, place, {})
            except CkptActionError as error:
                (place / "refused").write_text(str(error))
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    digests = {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }
    print(json.dumps(digests))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
