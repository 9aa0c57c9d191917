"""Registers nothing; it is only looked for."""

from captioner.other import *  # noqa: F403
