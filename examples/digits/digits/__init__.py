"""Handwritten digits: a model, its training, its checkpoint."""
