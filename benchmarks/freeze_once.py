"""One model frozen once: prints seconds, bytes of memory and bytes of weights, as JSON.

python -m benchmarks.freeze_once stock|stream MODEL
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def measure(way: str, name: str) -> None:
    import tensorflow as tf

    model = getattr(tf.keras.applications, name)(weights=None, classifier_activation=None)
    traced = _traced(tf, model)
    freeze: Callable[[Path], None] = {"stock": _stock, "stream": _stream}[way](traced)
    with tempfile.TemporaryDirectory() as folder:
        _reset_peak()
        before, start = _peak(), time.perf_counter()
        freeze(Path(folder) / "model.pb")
        seconds = time.perf_counter() - start
        memory = max(_peak() - before, 0)
    weights = sum(v.variable.shape.num_elements() * 4 for v in traced.variables)
    print(json.dumps({"seconds": seconds, "memory": memory, "weights": weights}))


def _traced(tf: Any, model: Any) -> Any:
    from ckpt_action.config.records import InputSpec, Signature
    from ckpt_action.engine.records import ModelVariable, TracedModel, TracedSignature
    from ckpt_action.outcome import SignatureRecord, TensorRecord

    shape = (None, *model.inputs[0].shape[1:])
    function = tf.function(lambda x: {"logits": model(x, training=False)}).get_concrete_function(
        x=tf.TensorSpec(shape, tf.float32, "x")
    )
    variables = tuple(
        ModelVariable(path=w.path, variable=w if isinstance(w, tf.Variable) else w.value)
        for w in model.weights
    )
    signature = TracedSignature(
        declared=Signature(
            name="serving_default",
            inputs=(InputSpec(name="x", dtype="float32", shape=("batch", *shape[1:])),),
        ),
        function=function,
        record=SignatureRecord(
            name="serving_default",
            inputs=(TensorRecord(name="x", dtype="float32", shape=shape),),
            outputs=(TensorRecord(name="logits", dtype="float32", shape=(None, 1000)),),
        ),
        variables=variables,
    )
    return TracedModel(name="model", signatures=(signature,), variables=variables)


def _stock(traced: Any) -> Callable[[Path], None]:
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    def freeze(path: Path) -> None:
        frozen = convert_variables_to_constants_v2(traced.signatures[0].function)
        path.write_bytes(frozen.graph.as_graph_def().SerializeToString(deterministic=True))

    return freeze


def _stream(traced: Any) -> Callable[[Path], None]:
    from ckpt_action.engine.freeze import freeze, write

    return lambda path: write(freeze(traced), path)


def _reset_peak() -> None:
    """Linux forgets the peak so far; elsewhere the figure is the growth of the peak."""
    refs = Path("/proc/self/clear_refs")
    if refs.exists():
        refs.write_text("5")


def _peak() -> int:
    status = Path("/proc/self/status")
    if status.exists():
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    measure(*sys.argv[1:])
