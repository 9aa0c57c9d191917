"""Packs what `people/make.py` wrote into `data/people.zip`, with stable bytes.

python tests/zoo/pack_people.py build/people
"""

from __future__ import annotations

import sys
from pathlib import Path

from pack import DATA, pack

if __name__ == "__main__":
    root = Path(sys.argv[1])
    folders = [folder for folder in sorted(root.iterdir()) if folder.is_dir()]
    pack(root, folders, DATA / "people.zip")
