"""Stands for a user's module; it is read, and must never be imported."""

raise RuntimeError("imported")


def decoder(vocabulary, *, depth=2):
    return vocabulary, depth


class Encoder:
    def __init__(self, units=3):
        self.units = units
