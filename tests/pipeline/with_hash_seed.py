"""The command whose children have the hash seed SEED instead of the one that is fixed for them.

    python with_hash_seed.py SEED VERB...

A seed in the environment reaches the parent alone. No option changes that of the children: the
user's code would find another order of its sets.
"""

from __future__ import annotations

import sys

from ckpt_action.cli import main
from ckpt_action.processes import environments

if __name__ == "__main__":
    environments._FIXED["PYTHONHASHSEED"] = sys.argv[1]
    sys.exit(main(sys.argv[2:]))
