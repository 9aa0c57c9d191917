"""No export takes more than its target says, by which it is decided what runs at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ckpt_action.engine.targets import registry

WEIGHTS = 32 << 20
SLACK = 100 << 20
"""What code and sessions take, whatever the weights."""


def peak() -> int:
    """Bytes, since the last `forget`."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def forget() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def export_large(name: str, folder: Path) -> int:
    """How far the peak of exporting a matrix is above what there was before."""
    import tensorflow as tf
    from handmade import spec, traced, traced_model

    module = tf.Module()
    rows = WEIGHTS // 4 // 2048
    module.matrix = tf.Variable(tf.random.normal((rows, 2048), seed=1), name="matrix")
    serving = traced(lambda x: {"y": tf.nn.relu(x @ module.matrix)}, spec("x", "float32", 1, rows))
    model = traced_model(module, serving)
    forget()
    before = peak()
    registry()[name].export(model, folder, {})
    return peak() - before


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("name", ["onnx", "tfjs", "tflite"])
def test_an_export_takes_no_more_memory_than_its_target_says(name, tmp_path):
    """In a process of its own, which has no memory left over."""
    run = subprocess.run(
        [sys.executable, __file__, name, str(tmp_path)],
        env={"PYTHONPATH": ":".join(sys.path[1:]), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    taken = int(run.stdout.split()[-1])
    assert WEIGHTS < taken < registry()[name].EXPORT_MEMORY * WEIGHTS + SLACK


if __name__ == "__main__":
    print(export_large(sys.argv[1], Path(sys.argv[2])))
