"""Names, shapes, dtypes and values equal to TensorFlow's own reader, on every committed file."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from checkpoint_files import content, prefixes

READER = Path(__file__).with_name("read_with_tensorflow.py")


@pytest.fixture(scope="module")
def tensorflow_reads():
    run = subprocess.run(
        [sys.executable, str(READER), *map(str, prefixes())], capture_output=True, check=True
    )
    return pickle.loads(run.stdout)


def test_the_set_is_wide():
    dtypes = {dtype for prefix in prefixes() for dtype, _, _ in content(prefix).values()}
    assert dtypes >= {
        "float32", "float64", "int8", "int32", "int64", "bool", "string", "bfloat16", "complex64",
        "variant",
    }  # fmt: skip


@pytest.mark.parametrize("prefix", prefixes(), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_reads_what_tensorflow_reads(prefix, tensorflow_reads):
    assert content(prefix) == tensorflow_reads[str(prefix)]
