"""Export TensorFlow 2 checkpoints as a declared, checked, repeatable step."""

from ckpt_action.golden import record_golden

__all__ = ["__version__", "record_golden"]
__version__ = "0.1.0"
