"""Run as a program: read artifacts with a consumer, and store what it computes.

    python consume.py REQUEST.json

The request is a list of {"consumer", "folder", "inputs": npz, "results": npz, "io": {...}}; `io`
holds the signature of the artifact. What a consumer refuses is in a file `.error` beside the
results; where there is neither, it crashed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Arrays = Mapping[str, np.ndarray]
CONSUMERS: dict[str, Callable[[Path, Arrays, Any], dict[str, np.ndarray]]] = {}
SIGNATURE = "serving_default"


def consumer(name: str):
    def register(run):
        CONSUMERS[name] = run
        return run

    return register


@consumer("tensorflow-2.15")
@consumer("session")
def session(folder: Path, inputs: Arrays, io: Any) -> dict[str, np.ndarray]:
    """What C++, Java and Go do: a session over the graph, without any of Keras."""
    import tensorflow as tf

    with tf.Graph().as_default(), tf.compat.v1.Session() as open_session:
        if (folder / "saved_model.pb").exists():
            tf.compat.v1.saved_model.load(open_session, ["serve"], str(folder))
        else:
            content = next(folder.glob("*.pb")).read_bytes()
            tf.graph_util.import_graph_def(tf.compat.v1.GraphDef.FromString(content), name="")
        fed = {t["tensor"]: inputs[t["name"]] for t in io["inputs"]}
        return open_session.run({t["name"]: t["tensor"] for t in io["outputs"]}, fed)


@consumer("c-api")
def c_library(folder: Path, inputs: Arrays, io: Any) -> dict[str, np.ndarray]:
    """A process in which only TensorFlow's shared library is loaded."""
    from c_api import CLibrary

    found = CLibrary().run(folder, inputs, io)
    assert "tensorflow" not in sys.modules
    return found


@consumer("saved_model_cli")
def saved_model_cli(folder: Path, inputs: Arrays, io: Any) -> dict[str, np.ndarray]:
    tool = Path(sys.executable).with_name("saved_model_cli")
    with tempfile.TemporaryDirectory() as scratch:
        for name, value in inputs.items():
            np.save(Path(scratch) / f"in_{name}.npy", value)
        fed = ";".join(f"{name}={scratch}/in_{name}.npy" for name in inputs)
        signature = ["--tag_set", "serve", "--signature_def", SIGNATURE]
        command = [tool, "run", "--dir", folder, *signature, "--inputs", fed, "--outdir", scratch]
        subprocess.run(command, capture_output=True, check=True)
        return {t["name"]: np.load(Path(scratch) / f"{t['name']}.npy") for t in io["outputs"]}


@consumer("tfsm-layer")
def tfsm_layer(folder: Path, inputs: Arrays, io: Any) -> dict[str, np.ndarray]:
    import tensorflow as tf

    layer = tf.keras.layers.TFSMLayer(str(folder), call_endpoint=SIGNATURE)
    fed = next(iter(inputs.values())) if len(inputs) == 1 else dict(inputs)
    return {name: value.numpy() for name, value in layer(fed).items()}


@consumer("tflite-converter")
def tflite_converter(folder: Path, inputs: Arrays, io: Any) -> dict[str, np.ndarray]:
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    content = tf.lite.TFLiteConverter.from_saved_model(str(folder)).convert()
    return Interpreter(model_content=content).get_signature_runner(SIGNATURE)(**inputs)


@consumer("tf2onnx")
def from_tf2onnx(folder: Path, inputs: Arrays, io: Any) -> dict[str, np.ndarray]:
    import onnxruntime
    import tensorflow as tf
    import tf2onnx

    saved = tf.saved_model.load(str(folder))
    loaded = saved.signatures[SIGNATURE]
    specs = [tf.TensorSpec(t["shape"], t["dtype"], t["name"]) for t in io["inputs"]]
    graph = tf.function(lambda *a: loaded(**dict(zip(inputs_of(io), a, strict=True))))
    model, _ = tf2onnx.convert.from_function(graph, specs, opset=17)
    ready = onnxruntime.InferenceSession(model.SerializeToString())
    fed = dict(zip((i.name for i in ready.get_inputs()), _in_order(inputs, io), strict=True))
    found = ready.run(None, fed)
    return dict(zip(sorted(t["name"] for t in io["outputs"]), found, strict=True))


@consumer("openvino")
def openvino(folder: Path, inputs: Arrays, io: Any) -> dict[str, np.ndarray]:
    import openvino as ov

    files = [f for ending in ("onnx", "tflite", "pb") for f in sorted(folder.glob(f"*.{ending}"))]
    saved_model = (folder / "saved_model.pb").exists()
    core = ov.Core()
    model = core.read_model(folder if saved_model else files[0])
    # On processors that can, it computes in bfloat16 unless it is told otherwise.
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    fed = {_port(compiled.inputs, t): inputs[t["name"]] for t in io["inputs"]}
    found = compiled(fed)
    return {t["name"]: found[_port(compiled.outputs, t)] for t in io["outputs"]}


def _port(ports: Any, tensor: Any) -> Any:
    names = {tensor["name"], tensor["tensor"], str(tensor["tensor"]).split(":")[0]}
    return next(port for port in ports if names & set(port.get_names()))


@consumer("opencv")
def opencv(folder: Path, inputs: Arrays, io: Any) -> dict[str, np.ndarray]:
    import cv2

    graphs = sorted(folder.glob("*.pb"))
    if graphs:
        net = cv2.dnn.readNetFromTensorflow(str(graphs[0]))
    else:
        net = cv2.dnn.readNetFromONNX(str(next(folder.glob("*.onnx"))))
    for tensor in io["inputs"]:
        value = inputs[tensor["name"]]
        image = graphs and value.ndim == 4
        net.setInput(value.transpose(0, 3, 1, 2) if image else value, _op(tensor))
    if len(io["outputs"]) == 1:
        outputs = {io["outputs"][0]["name"]: net.forward()}
    else:
        found = net.forward([_op(tensor) for tensor in io["outputs"]])
        outputs = dict(zip((t["name"] for t in io["outputs"]), found, strict=True))
    if not graphs:
        return outputs
    return {k: v.transpose(0, 2, 3, 1) if v.ndim == 4 else v for k, v in outputs.items()}


def _op(tensor: Any) -> str:
    return str(tensor["tensor"]).split(":")[0]


@consumer("node")
def node(folder: Path, inputs: Arrays, io: Any) -> dict[str, np.ndarray]:
    """TensorFlow.js with its JavaScript backend, as the tool proves its artifacts."""
    from ckpt_action.engine.tfjs.artifact import TFJSArtifact

    os.environ["CKPT_ACTION_TFJS"] = str(Path(__file__).resolve().parents[2] / "browser")
    artifact = TFJSArtifact(folder)
    assert not artifact.stand_in()
    return dict(artifact.run(SIGNATURE, inputs))


@consumer("litert")
def litert(folder: Path, inputs: Arrays, io: Any) -> dict[str, np.ndarray]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(next(folder.glob("*.tflite"))))
    return interpreter.get_signature_runner(SIGNATURE)(**inputs)


@consumer("onnxruntime")
def onnxruntime_(folder: Path, inputs: Arrays, io: Any) -> dict[str, np.ndarray]:
    import onnxruntime

    ready = onnxruntime.InferenceSession(str(next(folder.glob("*.onnx"))))
    names = [t["name"] for t in io["outputs"]]
    return dict(zip(names, ready.run(names, dict(inputs)), strict=True))


def inputs_of(io: Any) -> list[str]:
    return [t["name"] for t in io["inputs"]]


def _in_order(inputs: Arrays, io: Any) -> list[np.ndarray]:
    return [inputs[name] for name in inputs_of(io)]


def main(request: Path) -> None:
    for task in json.loads(request.read_text()):
        results = Path(task["results"])
        with np.load(task["inputs"]) as stored:
            inputs = dict(stored)
        try:
            found = CONSUMERS[task["consumer"]](Path(task["folder"]), inputs, task["io"])
            np.savez(results, **{name: np.asarray(value) for name, value in found.items()})
        except Exception as error:
            results.with_suffix(".error").write_text(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
