"""Which ops change state that outlives a call."""

from __future__ import annotations

import re

_WRITES = re.compile(
    r"Assign(Add|Sub)?VariableOp|AssignVariableXlaConcatND|Assign(Add|Sub)?"
    r"|Resource(Scatter|Apply|SparseApply|StridedSlice|CountUpTo).*|Scatter(Nd)?(Add|Sub|Mul|Div|Min|Max|Update)"
    r"|Stateful(?!PartitionedCall).*|Rng(ReadAnd)?Skip"
    r"|LookupTable(Insert|Remove|Import).*"
)


def writes_state(op: str) -> bool:
    """True of ops that change a variable, a generator or a table."""
    return _WRITES.fullmatch(op) is not None
