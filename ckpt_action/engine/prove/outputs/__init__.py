"""Outputs held against outputs: their spread, the verdicts, what would pass without a model."""
