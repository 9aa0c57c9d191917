"""Whether an artifact's signature is the one that was declared, and that of what it computes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.inputs.golden_file import show_shape
from ckpt_action.outcome import SignatureRecord, TensorRecord


def signature_differences(wanted: SignatureRecord, found: SignatureRecord) -> Iterator[str]:
    """In words, one for each: names, dtypes, shapes."""
    yield from _tensor_differences("input", wanted.inputs, found.inputs)
    yield from _tensor_differences("output", wanted.outputs, found.outputs)


def value_differences(found: SignatureRecord, outputs: Mapping[str, Array]) -> Iterator[str]:
    """In words, one for each of `outputs` that has not the shape that the artifact declares."""
    for tensor in (t for t in found.outputs if t.name in outputs):
        shape = outputs[tensor.name].shape
        if not _same_shape(tensor.shape, shape, exact=False):
            assert tensor.shape is not None
            declared = show_shape(tensor.shape)
            yield f"output {tensor.name!r} has shape {show_shape(shape)}, declared {declared}"


def _tensor_differences(
    kind: str, wanted: tuple[TensorRecord, ...], found: tuple[TensorRecord, ...]
) -> Iterator[str]:
    want, have = ({t.name: t for t in tensors} for tensors in (wanted, found))
    if want.keys() != have.keys():
        yield f"{kind}s {sorted(have)}, expected {sorted(want)}"
    for name in sorted(want.keys() & have.keys()):
        if want[name].dtype != have[name].dtype:
            yield f"{kind} {name!r} has dtype {have[name].dtype}, expected {want[name].dtype}"
        if not _same_shape(want[name].shape, have[name].shape, exact=kind == "input"):
            shapes = [
                show_shape(s) if s is not None else "unknown"
                for s in (have[name].shape, want[name].shape)
            ]
            yield f"{kind} {name!r} has shape {shapes[0]}, expected {shapes[1]}"


def _same_shape(
    wanted: tuple[int | str | None, ...] | None,
    found: tuple[int | str | None, ...] | None,
    *,
    exact: bool,
) -> bool:
    """Names of free dimensions are ours, artifacts know only that they are free. An output's size
    that only one side knows is no contradiction."""
    if wanted is None or found is None:
        return wanted is found or not exact
    return len(wanted) == len(found) and all(
        (isinstance(w, int) == isinstance(f, int) if exact else True)
        and (w == f if isinstance(w, int) and isinstance(f, int) else True)
        for w, f in zip(wanted, found, strict=True)
    )
