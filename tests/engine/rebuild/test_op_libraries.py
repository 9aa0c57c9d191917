"""Custom ops: loaded before the model is made, and what keeps a library from loading."""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest
from cases import problem_of, rebuilt, run, signature, tf, traced

from ckpt_action.errors import ExitCode

COMPILER = shutil.which("g++") or shutil.which("c++")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler is installed")

OP = """
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"
using namespace tensorflow;
REGISTER_OP("OurDouble").Input("x: float").Output("y: float")
    .SetShapeFn([](shape_inference::InferenceContext* c) {
      c->set_output(0, c->input(0));
      return absl::OkStatus();
    });
class OurDoubleOp : public OpKernel {
 public:
  explicit OurDoubleOp(OpKernelConstruction* c) : OpKernel(c) {}
  void Compute(OpKernelContext* c) override {
    Tensor* y = nullptr;
    OP_REQUIRES_OK(c, c->allocate_output(0, c->input(0).shape(), &y));
    auto in = c->input(0).flat<float>();
    auto out = y->flat<float>();
    for (int i = 0; i < in.size(); ++i) out(i) = 2 * in(i);
  }
};
REGISTER_KERNEL_BUILDER(Name("OurDouble").Device(DEVICE_CPU), OurDoubleOp);
"""

MODEL = """
import tensorflow as tf

class Doubling(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((2, 2)))
        self.ours = tf.load_op_library({library!r})

    def __call__(self, x):
        return self.ours.our_double(x=x @ self.w)
"""

CONFIG = """
version = 1
[models.doubling]
entry-point = "doubling:Doubling"
checkpoints = ["ck"]
op-libraries = ["our_double.so"]
targets = ["saved-model", "frozen-graph"]
verify.golden = "g.npz"
signatures.serving_default.inputs = { x = { dtype = "float32", shape = ["batch", 2] } }
"""


def compiled(source, library, *flags):
    file = library.with_suffix(".cc")
    file.write_text(source)
    command = [COMPILER, "-shared", "-fPIC", "-o", str(library), str(file), *flags]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    return library


@pytest.mark.parametrize("content", [None, b"not a library"])
def test_a_file_that_is_no_library(tmp_path, content):
    library = tmp_path / "zero_out.so"
    if content is not None:
        library.write_bytes(content)
    problem = problem_of(rebuilt, "models:sequential", op_libraries=(library,))
    assert problem.code is ExitCode.ENVIRONMENT
    assert "zero_out.so" in problem.message


@needs_compiler
def test_a_library_of_another_tensorflow(tmp_path):
    source = 'extern "C" int gone_since(); int use = gone_since();'
    library = compiled(source, tmp_path / "old.so")
    problem = problem_of(rebuilt, "models:sequential", op_libraries=(library,))
    assert problem.code is ExitCode.ENVIRONMENT
    assert f"TensorFlow {tf.__version__}" in problem.message
    assert "compiled against another TensorFlow" in problem.message
    assert "get_compile_flags" in problem.hint
    assert any("gone_since" in detail for detail in problem.details)


@pytest.mark.slow
@needs_compiler
def test_a_model_with_an_op_of_its_own(tmp_path):
    flags = (*tf.sysconfig.get_compile_flags(), *tf.sysconfig.get_link_flags())
    library = compiled(OP, tmp_path / "our_double.so", *flags)
    (tmp_path / "doubling.py").write_text(MODEL.format(library=str(library)))
    model = traced(
        "doubling:Doubling",
        signature(x=("float32", "batch", 2)),
        folder=tmp_path,
        op_libraries=(library,),
    )
    assert model.op_libraries == (library,)
    np.testing.assert_array_equal(run(model, x=[[1.0, 2.0]])["output_0"], [[6.0, 6.0]])


@pytest.mark.slow
@needs_compiler
def test_an_artifact_that_needs_the_op(tmp_path):
    """Exported, proven and verified again, each in processes that load the library first."""
    flags = (*tf.sysconfig.get_compile_flags(), *tf.sysconfig.get_link_flags())
    library = compiled(OP, tmp_path / "our_double.so", *flags)
    (tmp_path / "doubling.py").write_text(MODEL.format(library=str(library)))
    tf.train.Checkpoint(w=tf.Variable([[1.0, 2.0], [3.0, 4.0]])).write(str(tmp_path / "ck"))
    x = np.float32([[1, 2], [3, 5]])
    np.savez(tmp_path / "g.npz", in_x=x, out_0=2 * x @ np.float32([[1, 2], [3, 4]]))
    (tmp_path / "model-export.toml").write_text(CONFIG)
    said = command("export", folder=tmp_path)
    assert "\ndoubling: proven\n" in said
    assert "1 model exported and proven (2 artifacts" in said
    (artifact,) = (tmp_path / "dist").rglob("saved_model.pb")
    assert b"OurDouble" in artifact.read_bytes()
    refused = command("verify", "dist", folder=tmp_path, code=ExitCode.ENVIRONMENT)
    assert "needs the op library our_double.so" in refused
    given = command("verify", "dist", "--op-library", "our_double.so", folder=tmp_path)
    assert "proven" in given


def command(*arguments, folder, code=0):
    run = subprocess.run(
        [sys.executable, "-m", "ckpt_action", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == code, run.stdout + run.stderr
    return run.stdout
