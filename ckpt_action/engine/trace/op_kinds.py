"""What kinds of operations there are, beside those that compute outputs from inputs and weights."""

from __future__ import annotations

import re

_WRITES = re.compile(
    r"Assign(Add|Sub)?VariableOp|AssignVariableXlaConcatND|Assign(Add|Sub)?"
    r"|Resource(Scatter|Apply|SparseApply|StridedSlice|CountUpTo).*|Scatter(Nd)?(Add|Sub|Mul|Div|Min|Max|Update)"
    r"|Stateful(?!PartitionedCall).*|Rng(ReadAnd)?Skip"
    r"|LookupTable(Insert|Remove|Import).*"
)
_DRAWS = re.compile(
    r"Random|Rng|Multinomial|TruncatedNormal|CandidateSampler|SampleDistortedBoundingBox"
    r"|NonDeterministicInts|Stateful(Uniform|StandardNormal)|StatelessShuffle"
)
_CLOCKS = frozenset({"Timestamp"})
_FILES = frozenset({"ReadFile", "MatchingFiles", "WholeFileReaderV2", "TFRecordReaderV2"})


def writes_state(op: str) -> bool:
    """Whether `op` changes state that outlives a call: a variable, a generator, a table."""
    return _WRITES.fullmatch(op) is not None


def draws(op: str) -> bool:
    """Whether `op` gives random numbers, or a part of what makes them."""
    return _DRAWS.search(op) is not None


def reads_clock(op: str) -> bool:
    return op in _CLOCKS


def reads_files(op: str) -> bool:
    return op in _FILES
