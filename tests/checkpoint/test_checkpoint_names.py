"""What the name of a checkpoint says: its step, its series, its order, the files of a prefix."""

from __future__ import annotations

from pathlib import Path

import pytest

from ckpt_action.checkpoint.names import natural_key, prefix_of, series_of, step_of
from ckpt_action.checkpoint.patterns import expand_braces


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{a,b}/x", ("a/x", "b/x")),
        ("c{1,{2,3}}", ("c1", "c2", "c3")),
        ("{a,}b", ("ab", "b")),
        ("{a}", ("{a}",)),
        ("a{b", ("a{b",)),
    ],
)
def test_braces(pattern, expected):
    assert sorted(expand_braces(pattern)) == sorted(expected)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("ckpt-12", 12),
        ("ckpt_20", 20),
        ("cp-0005.ckpt", 5),
        ("model.ckpt-100", 100),
        ("weights.05-0.32.h5", 5),
        ("weights.10.hdf5", 10),
        ("epoch=3-step=400", 400),
        ("ckpt-epoch10", 10),
        ("my_model-3.weights.h5", 3),
        ("m_31122023.weights.h5", None),
        ("best-ppl-45", None),
        ("g_fid_40", None),
        ("w-err-35", None),
        ("w-f1-87", None),
        ("r-top1-77", None),
        ("member_1", None),
        ("client_2", None),
        ("cluster-2", None),
        ("model-2-of-5", None),
        ("it-1000-loss-3", 1000),
        ("cp.ckpt", None),
        ("resnet50", None),
        ("mnist_model", None),
        ("run-2b", None),
        ("step-100-loss-3", 100),
        ("acc-95-epoch-9", 9),
        ("ckpt-1-50", 50),
        ("v1-step500", 500),
        ("fold_1", None),
        ("seed_1_best", None),
    ],
)
def test_steps(name, step):
    assert step_of(Path(name)) == step


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("r/ckpt-9", "r/ckpt-10", True),
        ("r/acc-95-epoch-9", "r/acc-93-epoch-10", True),
        ("r/weights.05-0.32.h5", "r/weights.06-0.30.h5", True),
        ("r/epoch=3-step=400", "r/epoch=4-step=500", True),
        ("r1/ckpt-10", "r2/ckpt-3", False),
        ("fold_1/ckpt-50", "fold_2/ckpt-50", False),
        ("v1-step500", "v2-step10", False),
        ("lr0.001-5", "lr0.01-5", False),
    ],
)
def test_a_series_is_one_name_at_different_steps(one, other, together):
    assert (series_of(Path(one)) == series_of(Path(other))) is together


def test_natural_order_and_parts():
    names = [Path(f"run-{r}/ckpt-{n}") for r in (1, 10, 9) for n in (10, 9, 100)]
    ordered = sorted(names, key=natural_key)
    assert [p.as_posix() for p in ordered[:4]] == [
        "run-1/ckpt-9", "run-1/ckpt-10", "run-1/ckpt-100", "run-9/ckpt-9",
    ]  # fmt: skip
    assert prefix_of(Path("a/x-1.data-00000-of-00002")) == Path("a/x-1")
    assert prefix_of(Path("a/x.h5")) is None
