"""Jobs over the modules in `code/`, run in this process; what the tests beside it share."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from ckpt_action.checkpoint.records import CheckpointFiles, Kind, Writer
from ckpt_action.config.records import EntryPoint, InputSpec, Model, OutputSpec, Signature
from ckpt_action.outcome import BindingRecord
from ckpt_action.plan import Job

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # TensorFlow's own, at import
    import tensorflow as tf
    from tensorflow import keras

    KERAS_3 = keras.layers.Layer.__module__.startswith("keras.src.layers.")

from ckpt_action.engine.prove.model.reference import make_reference
from ckpt_action.engine.rebuild.rebuild import rebuild
from ckpt_action.engine.records import ModelVariable, Restored
from ckpt_action.engine.restore.model.finish import finish, layers_among
from ckpt_action.engine.restore.model.variables import live_model
from ckpt_action.engine.trace.trace import trace
from ckpt_action.engine.trace.turned import in_another_order
from ckpt_action.engine.trace.twin import make_twin
from ckpt_action.errors import CkptActionError

HERE = Path(__file__).resolve().parent
CODE = HERE / "code"


def signature(outputs=(), *, name="serving_default", method="__call__", constants=None, **inputs):
    """`x=("float32", "batch", 8)`: dtype and shape of each input, in order."""
    return Signature(
        name=name,
        method=method,
        inputs=tuple(InputSpec(name=n, dtype=d, shape=tuple(s)) for n, (d, *s) in inputs.items()),
        outputs=tuple(OutputSpec(name=output) for output in outputs),
        constants=constants or {},
    )


def make_job(
    entry_point=None, *signatures, path=CODE / "none", kind=Kind.OBJECT_GRAPH, folder=CODE, **model
):
    module, _, attribute = (entry_point or "").partition(":")
    arguments = model.pop("arguments", {})
    writer = model.pop("writer", Writer.UNKNOWN)
    point = EntryPoint(module=module, attribute=attribute, arguments=arguments)
    return Job(
        name="m",
        model=Model(
            name="m",
            entry_point=point if entry_point else None,
            checkpoints=("x",),
            targets=(),
            signatures=signatures,
            **model,
        ),
        checkpoint=CheckpointFiles(
            path=path, kind=kind, writer=writer, step=None, files=(), bytes=0
        ),
        python_path=(folder,),
        folder=folder,
    )


def rebuilt(entry_point, *signatures, **options):
    return rebuild(make_job(entry_point, *signatures, **options))


def as_restored(model):
    """`model` with the values that it has: restoring is tested elsewhere."""
    variables = live_model(model).variables
    state = tuple(v.path for v in variables if v.state)
    return Restored(
        rebuilt=model,
        variables=tuple(
            ModelVariable(path=v.path, variable=v.variable, source="" if v.state else v.path)
            for v in variables
        ),
        binding=BindingRecord(route="", keras="", root="", bound=0, state=state),
    )


def traced(entry_point, *signatures, **options):
    job = make_job(entry_point, *signatures, **options)
    restored = as_restored(rebuild(job))
    model = trace(restored, "m", make_twin(restored, job.checkpoint))
    return in_another_order(model, restored, job.checkpoint)


def restored_with_others(entry_point, *signatures, **options):
    """A model in which a checkpoint put other values than it was made with, and what is said."""
    job = make_job(entry_point, *(signatures or [signature(x=("float32", "batch", 4))]), **options)
    restored = as_restored(rebuild(job))
    for number, one in enumerate(restored.variables):
        value = one.variable.numpy()
        one.variable.assign((value * 0.5 + number + 1).astype(value.dtype))
    finish(layers_among(restored.rebuilt.held))
    model = trace(restored, "m", make_twin(restored, job.checkpoint))
    return model, make_reference(model, job.model.verify)


def problems_of(function, *arguments, **options):
    """The problems that the call raises; the test fails where it raises none."""
    with pytest.raises(CkptActionError) as caught:
        function(*arguments, **options)
    return caught.value.problems


def problem_of(function, *arguments, **options):
    (problem,) = problems_of(function, *arguments, **options)
    return problem


def run(model, *, name="serving_default", **inputs):
    """The outputs of one traced signature as numpy arrays."""
    (one,) = (s for s in model.signatures if s.record.name == name)
    tensors = {
        spec.name: tf.constant(inputs[spec.name], spec.dtype) for spec in one.declared.inputs
    }
    return {key: value.numpy() for key, value in one.function(**tensors).items()}


def in_fresh_process(program, *arguments, **environment):
    """Standard output of `program`, run by this interpreter."""
    import os

    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
        cwd=HERE,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout
