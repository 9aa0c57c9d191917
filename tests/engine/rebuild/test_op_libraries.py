"""Custom ops: loaded before the model is made, and what keeps a library from loading."""

from __future__ import annotations

import shutil
import subprocess

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
