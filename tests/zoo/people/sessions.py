"""TF1: Keras in a session, the MNIST tutorial, and checkpoints of names by others' code."""

import numpy as np
import tensorflow as tf
from repository import KERAS_2, floats, golden, ids, repository, trained

v1 = tf.compat.v1


def zeros(name, *shape):
    return tf.Variable(tf.zeros(shape), name=name)


def write(folder, file, module, state):
    """The variables of `module` by name, and for each what `state` gives for it."""
    values = {variable.name[:-2]: variable.numpy() for variable in module.variables}
    for name in list(values):
        values |= {name + ending: made for ending, made in state(values[name]).items()}
    values["global_step"] = np.int64(7)
    tf.raw_ops.SaveV2(
        prefix=str(folder / file),
        tensor_names=list(values),
        shape_and_slices=[""] * len(values),
        tensors=list(values.values()),
    )


class Albert(tf.Module):
    """One group of weights for all layers."""

    def __init__(self):
        super().__init__()
        group = "bert/encoder/transformer/group_0/"
        self.embedding = zeros("bert/embeddings/word_embeddings", 11, 6)
        self.attention = [
            zeros(f"{group}inner_group_0/attention_1/self/{part}/kernel", 6, 6)
            for part in ("query", "key", "value")
        ]
        self.norm = [zeros(f"{group}inner_group_0/LayerNorm/{p}", 6) for p in ("gamma", "beta")]

    def __call__(self, input_ids):
        x = tf.gather(self.embedding, input_ids)
        for _ in range(3):
            query, key, value = (x @ kernel for kernel in self.attention)
            x = x + tf.nn.softmax(tf.matmul(query, key, transpose_b=True)) @ value
            x = tf.tanh(x) * self.norm[0] + self.norm[1]
        return x


def albert():
    return Albert()


NAMED = """
[models.NAME]
entry-point = "sessions:NAME"
checkpoints = ["{here}/model.ckpt-*"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.input_ids = { dtype = "int32", shape = ["batch", "length"] }
signatures.serving_default.outputs = ["y"]
"""


@repository(KERAS_2, NAMED.replace("NAME", "albert"))
def albert_names(folder):
    """With the state of LAMB, which calls it as BERT's optimizer does."""
    module, words = albert(), ids(2, 5, below=11)
    trained(module)
    write(folder, "model.ckpt-best", module, lambda v: {"/adam_m": v * 0, "/adam_v": v * 0 + 1})
    golden(folder, {"input_ids": words}, {"y": module(words)})


class T5(tf.Module):
    def __init__(self):
        super().__init__()
        blocks = [f"encoder/block_{number:03d}/layer_000" for number in range(2)]
        self.embedding = zeros("shared/embedding", 9, 6)
        self.kernels = [zeros(f"{block}/SelfAttention/q", 6, 6) for block in blocks]
        self.scales = [zeros(f"{block}/layer_norm/scale", 6) for block in blocks]

    def __call__(self, input_ids):
        x = tf.gather(self.embedding, input_ids)
        for kernel, scale in zip(self.kernels, self.scales, strict=True):
            x = tf.tanh(x @ kernel) * scale + x
        return x


def t5():
    return T5()


def adafactor(value):
    if value.ndim < 2:
        return {"_slot_v": value * 0 + 1}
    return {"_slot_vr": value[:, 0] * 0 + 1, "_slot_vc": value[0] * 0 + 1}


@repository(KERAS_2, NAMED.replace("NAME", "t5"))
def t5_names(folder):
    """Mesh TensorFlow's Adafactor keeps a mean of each row and one of each column."""
    module, words = t5(), ids(2, 5, below=9)
    trained(module)
    write(folder, "model.ckpt-1000700", module, adafactor)
    golden(folder, {"input_ids": words}, {"y": module(words)})


@repository(
    KERAS_2,
    """
[models.keras-session]
checkpoints = ["{here}/ck/model-*"]
verify.golden = "{here}/golden.npz"
[models.keras-session.signatures.serving_default]
inputs.x = { tensor = "input_1:0", dtype = "float32", shape = ["batch", 8, 8, 1] }
outputs.y = "probs/Softmax:0"
constants = { "keras_learning_phase:0" = false }
[models.keras-session.signatures.features]
inputs.x = { tensor = "input_1:0", dtype = "float32", shape = ["batch", 8, 8, 1] }
outputs.f = "features/Relu:0"
constants = { "keras_learning_phase:0" = false }
""",
)
def keras_session(folder):
    """The learning phase is a placeholder; two signatures of one graph."""
    keras = v1.keras
    with tf.Graph().as_default(), v1.Session() as session:
        keras.backend.set_session(session)
        image = keras.layers.Input((8, 8, 1), name="input_1")
        x = keras.layers.BatchNormalization()(keras.layers.Conv2D(3, 3)(image))
        x = keras.layers.Flatten()(keras.layers.Dropout(0.5)(x))
        x = keras.layers.Dense(5, activation="relu", name="features")(x)
        probs = keras.layers.Dense(3, activation="softmax", name="probs")(x)
        model = keras.Model(image, probs)
        session.run(v1.global_variables_initializer())
        rng = np.random.default_rng(2)
        for weight in model.weights:
            value = rng.normal(0.2, 0.4, weight.shape)
            keras.backend.set_value(weight, np.abs(value) if "variance" in weight.name else value)
        (folder / "ck").mkdir()
        v1.train.Saver().save(session, str(folder / "ck/model"), global_step=3)
        images = floats(3, 8, 8, 1)
        golden(folder, {"x": images}, {"y": session.run(probs, {image: images})})


@repository(
    KERAS_2,
    """
[models.mnist-2016]
checkpoints = ["{here}/model.ckpt"]
verify.golden = "{here}/golden.npz"
[models.mnist-2016.signatures.serving_default]
inputs.x = { tensor = "Placeholder:0", dtype = "float32", shape = ["batch", 16] }
outputs.y = "add_2:0"
constants = { "Placeholder_2:0" = 1.0 }
""",
)
def mnist_2016(folder):
    """`Variable` to `Variable_5`, placeholders without names, dropout that must be fed."""
    with tf.Graph().as_default(), v1.Session() as session:
        x, labels = (v1.placeholder(tf.float32, [None, size]) for size in (16, 3))
        keep = v1.placeholder(tf.float32)

        def weight(*shape):
            return v1.Variable(v1.truncated_normal(shape, stddev=0.4))

        hidden = tf.nn.conv2d(tf.reshape(x, [-1, 4, 4, 1]), weight(3, 3, 1, 4), 1, "SAME")
        hidden = tf.nn.max_pool2d(tf.nn.relu(hidden + weight(4)), 2, 2, "SAME")
        hidden = tf.nn.relu(tf.matmul(tf.reshape(hidden, [-1, 16]), weight(16, 8)) + weight(8))
        logits = tf.matmul(v1.nn.dropout(hidden, keep), weight(8, 3)) + weight(3)
        loss = v1.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits)
        v1.train.AdamOptimizer(1e-4).minimize(tf.reduce_mean(loss))
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(folder / "model.ckpt"))
        images = floats(3, 16)
        golden(folder, {"x": images}, {"y": session.run(logits, {x: images, keep: 1.0})})
