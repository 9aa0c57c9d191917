"""Give both models weights, save them, record what they compute."""

import numpy as np
import tensorflow as tf
from models import Affine, dense

from ckpt_action import record_golden

generator = np.random.default_rng(7)
for name, model in [("dense", dense()), ("affine", Affine())]:
    for variable in model.variables:
        variable.assign(generator.normal(size=variable.shape))
    if name == "dense":
        tf.train.Checkpoint(model=model).save("runs/dense/ckpt")
    else:
        tf.train.Checkpoint(model).save("runs/affine/ckpt")
x = generator.normal(size=(3, 5)).astype("float32")
record_golden("golden/affine.npz", model, x=x)
