"""Turn TensorFlow checkpoints into proven models of five formats."""

from ckpt_action.golden import record_golden

__all__ = ["__version__", "record_golden"]
__version__ = "0.1.0"
