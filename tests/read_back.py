"""Run exported artifacts with TensorFlow alone and compare them with a golden file.

`python read_back.py FOLDER GOLDEN`: FOLDER holds `saved-model/`, perhaps `frozen-graph/`.
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

RTOL, ATOL = 1e-4, 1e-5


def saved_model(folder, inputs):
    loaded = tf.saved_model.load(str(folder))
    function = loaded.signatures["serving_default"]
    return function(**{name: tf.constant(value) for name, value in inputs.items()})


def frozen_graph(folder, inputs):
    contract = json.loads(next(folder.glob("*.io.json")).read_text())
    [signature] = contract["signatures"]
    assert signature["name"] == "serving_default"
    graph_def = tf.compat.v1.GraphDef.FromString(next(folder.glob("*.pb")).read_bytes())
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.import_graph_def(graph_def, name="")
        feeds = {each["tensor"]: inputs[each["name"]] for each in signature["inputs"]}
        fetches = {each["name"]: each["tensor"] for each in signature["outputs"]}
        return session.run(fetches, feeds)


def main(folder: Path, golden: Path) -> None:
    with np.load(golden) as arrays:
        inputs = {name[3:]: arrays[name] for name in arrays if name.startswith("in_")}
        expected = [arrays[f"out_{i}"] for i in range(len(arrays) - len(inputs))]
    declared = json.loads((folder.parent / "manifest.json").read_text())["jobs"][0]
    names = [output["name"] for output in declared["artifacts"][0]["signatures"][0]["outputs"]]
    for artifact in sorted(folder.iterdir()):
        run = {"saved-model": saved_model, "frozen-graph": frozen_graph}[artifact.name]
        actual = run(artifact, inputs)
        assert len(actual) == len(expected)
        for name, value in zip(names, expected, strict=True):
            np.testing.assert_allclose(np.asarray(actual[name]), value, rtol=RTOL, atol=ATOL)
        print(f"{artifact.name}: right")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
