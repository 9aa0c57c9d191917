"""`python -m ckpt_action` is the `ckpt-action` command."""

import sys

from ckpt_action.cli import main

if __name__ == "__main__":
    sys.exit(main())
