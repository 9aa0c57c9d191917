"""ONNX: what goes wrong in silence elsewhere, and the form of the files."""

from __future__ import annotations

import random
import subprocess
import sys

import module_cases
import networks
import numpy as np
import onnx
import pytest
import tensorflow as tf
from handmade import assert_equal, spec, traced, traced_model

from ckpt_action.engine.onnx_graph import canonical as canonical_form
from ckpt_action.engine.onnx_graph import write as writing
from ckpt_action.engine.onnx_graph.canonical import canonical
from ckpt_action.engine.prepare.erfc import rewrite_erfc
from ckpt_action.engine.targets import registry
from ckpt_action.errors import CkptActionError, ExitCode

ONNX = registry()["onnx"]


@pytest.fixture(scope="module")
def attention(tmp_path_factory):
    case = networks.NETWORKS["attention_exact_gelu"]()
    folder = tmp_path_factory.mktemp("attention")
    return case, folder, ONNX.export(case.model, folder, {})


def shapes(values) -> dict[str, list[int | str]]:
    return {
        v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in values
    }


def test_importing_the_runtime_warns_of_nothing():
    program = "import onnx, onnxruntime"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_names_dimensions_and_version_are_as_declared(attention):
    case, folder, written = attention
    model = onnx.load(folder / "tiny.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 17)]
    assert shapes(model.graph.input) == {"x": ["batch", "time"]}
    assert shapes(model.graph.output) == {"logits": ["batch", "time", 3]}
    paths = {v.path for v in case.model.variables}
    assert len(paths & {t.name for t in model.graph.initializer}) > len(paths) / 2
    assert [t.tensor for t in written.signatures[0].inputs] == ["x"]


def test_no_constant_becomes_an_input(tmp_path):
    case = module_cases.CASES["captured_constants"]()
    ONNX.export(case.model, tmp_path, {})
    model = onnx.load(tmp_path / "tiny.onnx")
    assert {v.name for v in model.graph.input} == set(case.inputs["serving_default"])


def test_erfc_is_spelled_out_and_would_be_refused(monkeypatch, tmp_path):
    """tf2onnx hands it through under TensorFlow's name, and says nothing."""
    case = networks.NETWORKS["attention_exact_gelu"]()
    passes = tuple(p for p in writing._PASSES if p is not rewrite_erfc)
    monkeypatch.setattr(writing, "_PASSES", passes)
    with pytest.raises(CkptActionError, match=r"no form for Erfc \(.*dense") as refusal:
        ONNX.export(case.model, tmp_path, {})
    assert {p.code for p in refusal.value.problems} == {ExitCode.TARGET}
    assert not list(tmp_path.iterdir())


def test_text_goes_in_and_out(tmp_path):
    module = tf.Module()
    module.names = tf.Variable([b"zero", b"one", "zwölf".encode()])
    signature = traced(lambda at: {"name": tf.gather(module.names, at)}, spec("at", "int32", "n"))
    model = traced_model(module, signature)
    written = ONNX.export(model, tmp_path, {})
    artifact = ONNX.open_artifact(tmp_path, ())
    found = artifact.run("serving_default", {"at": np.array([2, 0], "int32")})
    assert found["name"].tolist() == ["zwölf".encode(), b"zero"]
    assert dict(artifact.payloads())[next(iter(written.payloads))]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("switch_case_and_nested_functions", r"no form for Case \('switch_case'\)"),
        ("awkward_names", "an input and an output that are both named 'x'"),
    ],
)
def test_what_onnx_cannot_say_is_refused_by_name(name, says, tmp_path):
    case = module_cases.CASES[name]()
    with pytest.raises(CkptActionError, match=says) as refusal:
        ONNX.export(case.model, tmp_path, {})
    assert {p.code for p in refusal.value.problems} == {ExitCode.TARGET}
    assert not list(tmp_path.iterdir())


def test_a_table_is_refused_by_name(tmp_path):
    module = tf.Module()
    module.w = tf.Variable([1.0, 2.0])
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(tf.constant([b"a", b"b"]), tf.constant([0, 1])), 0
    )
    signature = traced(
        lambda word: {"y": tf.gather(module.w, table.lookup(word))}, spec("word", "string", "n")
    )
    model = traced_model(module, signature, resources=(table,))
    with pytest.raises(CkptActionError, match=r"uses a lookup table.*LookupTableFind"):
        ONNX.export(model, tmp_path, {})
    assert not list(tmp_path.iterdir())


def test_each_signature_has_its_file(tmp_path):
    case = module_cases.CASES["several_signatures"]()
    ONNX.export(case.model, tmp_path, {})
    assert {f.name for f in tmp_path.iterdir()} == {"tiny.encode.onnx", "tiny.decode.onnx"}
    artifact = ONNX.open_artifact(tmp_path, ())
    for signature, inputs in case.inputs.items():
        assert_equal(artifact.run(signature, inputs), case.live(signature))


def test_a_recurrent_model_keeps_free_rows_and_length(tmp_path):
    case = networks.NETWORKS["bilstm_gru"]()
    ONNX.export(case.model, tmp_path, {})
    artifact = ONNX.open_artifact(tmp_path, ())
    for rows, time in ((1, 3), (4, 11)):
        x = np.random.default_rng(rows).normal(size=(rows, time, 5)).astype("float32")
        wanted = {k: v.numpy() for k, v in case.model.signatures[0].function(x=x).items()}
        assert_equal(artifact.run("serving_default", {"x": x}), wanted)


def shuffled(model, seed):
    """The same computation with other names and, where nothing depends on it, another order: of
    initialisers, and of the values that loops carry."""
    generator = random.Random(seed)
    made = onnx.ModelProto()
    made.CopyFrom(model)
    names = {}

    def rename(graph):
        for node in graph.node:
            node.name = f"n{generator.random()}"
            for values in (node.input, node.output):
                values[:] = [n and names.setdefault(n, f"v{generator.random()}") for n in values]
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    rename(attribute.g)
            if node.op_type == "Loop":
                carry_otherwise(node)
        for value in (*graph.input, *graph.output, *graph.initializer):
            value.name = names.setdefault(value.name, f"v{generator.random()}")

    def carry_otherwise(loop):
        (body,) = (a.g for a in loop.attribute if a.name == "body")
        order = list(range(len(body.input) - 2))
        generator.shuffle(order)
        for values, start in ((loop.input, 2), (loop.output, 0), (body.input, 2), (body.output, 1)):
            copies = [v if isinstance(v, str) else type(v).FromString(v.SerializeToString())
                      for v in values]  # fmt: skip
            copies[start : start + len(order)] = [copies[start + i] for i in order]
            del values[:]
            values.extend(copies)

    rename(made.graph)
    initialisers = list(made.graph.initializer)
    generator.shuffle(initialisers)
    del made.graph.initializer[:]
    made.graph.initializer.extend(initialisers)
    ends = {names[v.name]: v.name for v in (*model.graph.input, *model.graph.output)}
    return made, ends


LOOPS = ("masked_lstm_one_row", "control_flow_of_tf1", "gather_in_branch_in_nested_loops")


@pytest.mark.parametrize("name", ["attention_exact_gelu", "bilstm_gru_one_row", *LOOPS])
def test_names_and_order_of_the_converter_do_not_matter(name, tmp_path, monkeypatch):
    case = (networks.NETWORKS | module_cases.CASES)[name]()
    ONNX.export(case.model, tmp_path, {})
    model = onnx.load(tmp_path / "tiny.onnx")
    assert len(forms_of(model)) == 1
    if name in LOOPS:
        monkeypatch.setattr(canonical_form, "order_carried", lambda graph, names: None)
        assert len(forms_of(model)) > 1


def forms_of(model) -> set[bytes]:
    made = set()
    for seed in range(4):
        other, ends = shuffled(model, seed)
        assert other.SerializeToString() != model.SerializeToString()
        form = canonical(other, ends, lambda tensor: None, "title")
        onnx.checker.check_model(form, full_check=True)
        made.add(form.SerializeToString(deterministic=True))
    return made


def test_copies_that_the_converter_leaves_do_not_matter():
    """It takes out one Identity or another of a value that is handed out twice."""
    make = onnx.helper.make_tensor_value_info
    outputs = [make(name, onnx.TensorProto.FLOAT, ["n"]) for name in ("a", "b")]
    forms = set()
    for first, second in (("a", "b"), ("b", "a")):
        graph = onnx.helper.make_graph(
            [
                onnx.helper.make_node("Relu", ["x"], [first]),
                onnx.helper.make_node("Identity", [first], [second]),
            ],
            "g", [make("x", onnx.TensorProto.FLOAT, ["n"])], outputs,
        )  # fmt: skip
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
        names = {name: name for name in ("x", "a", "b")}
        form = canonical(model, names, lambda tensor: None, "title")
        onnx.checker.check_model(form, full_check=True)
        assert [v.name for v in form.graph.output] == ["a", "b"]
        forms.add(form.SerializeToString(deterministic=True))
    assert len(forms) == 1


def test_a_changed_value_is_another_file(attention):
    _, folder, _ = attention
    model = onnx.load(folder / "tiny.onnx")
    ends = {v.name: v.name for v in (*model.graph.input, *model.graph.output)}
    before = canonical(model, ends, lambda tensor: None, "title").SerializeToString()
    tensor = next(t for t in model.graph.initializer if t.data_type == onnx.TensorProto.FLOAT)
    value = onnx.numpy_helper.to_array(tensor).copy()
    value.reshape(-1)[0] += 1
    tensor.CopyFrom(onnx.numpy_helper.from_array(value, tensor.name))
    assert canonical(model, ends, lambda tensor: None, "title").SerializeToString() != before


def test_a_truncated_file_is_named(attention, tmp_path):
    _, folder, _ = attention
    content = (folder / "tiny.onnx").read_bytes()
    (tmp_path / "tiny.onnx").write_bytes(content[: len(content) // 2])
    with pytest.raises(CkptActionError) as refusal:
        ONNX.open_artifact(tmp_path, ())
    assert {p.code for p in refusal.value.problems} == {ExitCode.VERIFY}
