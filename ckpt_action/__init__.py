"""Export TensorFlow 2 checkpoints as a declared, checked, repeatable step."""

__version__ = "0.1.0"
