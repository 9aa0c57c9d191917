"""Record what a model computes while it still lives in the program that trained it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ckpt_action.golden_call import call_named


def record_golden(path: str | Path, fn: Callable[..., Any], **inputs: Any) -> Path:
    """Call `fn(**inputs)` and write its inputs and outputs to `path`, a NumPy `.npz` file.

    The file holds `in_<name>` for every input and `out_<name>` for every output: the keys of a
    returned dict, else `0`, `1`, ... in the order of the returned list or tuple (nested ones are
    flattened, dicts in the order of their sorted keys, as `tf.nest.flatten` does). `fn` must run in
    inference mode. A single input may be given to a callable that takes it by position only. A
    Keras model is called with `training=False` where it takes that, and is given several inputs as
    an export gives them: by the names of its inputs or parameters, or in one list or dict.
    Needs NumPy alone; arrays, tensors and Python numbers are taken as `numpy.asarray` takes them.

    Raises ValueError where there are no inputs, the model has other ones or may take them in
    another order, the model returned nothing, an array is empty, an output has no finite value,
    or a value is not numeric, boolean or a string. The file appears whole or not at all.
    """
    import numpy as np

    if not inputs:
        raise ValueError("record_golden needs at least one named input")
    arrays = {f"in_{name}": np.asarray(value) for name, value in inputs.items()}
    outputs = _flatten(call_named(fn, inputs))
    if not outputs:
        raise ValueError("the model returned nothing to record")
    arrays |= {f"out_{name}": np.asarray(value) for name, value in outputs.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "biufcSUO" or (array.dtype.kind == "O" and not _strings(array)):
            raise ValueError(f"{name} has dtype {array.dtype}, which a golden file cannot hold")
        if not array.size:
            raise ValueError(f"{name} is empty: it would prove nothing")
        outputs_are_numbers = array.dtype.kind in "fc" and name.startswith("out_")
        if outputs_are_numbers and not np.isfinite(array).any():
            raise ValueError(f"{name} holds NaN and infinite values only: it would prove nothing")
    return _write(Path(path), {name: _plain(array) for name, array in arrays.items()})


def _flatten(value: Any, name: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping):
        children = {str(key): value[key] for key in sorted(value)}
    elif isinstance(value, (list, tuple)):
        children = dict(zip(map(str, range(len(value))), value, strict=True))
    else:
        return {name or "0": value}
    if not name and not isinstance(value, Mapping):
        leaves = [leaf for child in children.values() for leaf in _flatten(child).values()]
        return dict(zip(map(str, range(len(leaves))), leaves, strict=True))
    return {
        key: leaf
        for child_name, child in children.items()
        for key, leaf in _flatten(child, f"{name}_{child_name}" if name else child_name).items()
    }


def _strings(array: Any) -> bool:
    return all(isinstance(item, (bytes, str)) for item in array.ravel())


def _plain(array: Any) -> Any:
    """Strings as fixed-width bytes, so that the file loads without unpickling anything."""
    if array.dtype.kind not in "UO":
        return array
    import numpy as np

    items = [s.encode() if isinstance(s, str) else s for s in array.ravel()]
    return np.array(items, dtype=np.bytes_).reshape(array.shape)


def _write(path: Path, arrays: Mapping[str, Any]) -> Path:
    import numpy as np

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            np.savez_compressed(file, **dict(arrays))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path
