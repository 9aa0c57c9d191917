"""Repositories of TF1: with the `.meta` that the Saver wrote, or names alone for code of today."""

import contextlib

import numpy as np
import tensorflow as tf
from repository import KERAS_2, floats, golden, ids, repository

v1 = tf.compat.v1


def session(folder, build, save, feeds, outputs, *, golden_weights=None, meta=True):
    """Build a graph, give its variables values, save and run it."""
    for inner in ("train", "save", "model_dir"):
        (folder / inner).mkdir()
    config = v1.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True  # it aborts on BERT
    with tf.Graph().as_default(), v1.Session(config=config) as sess:
        tensors = build()
        sess.run([v1.global_variables_initializer(), v1.tables_initializer()])
        rng = np.random.default_rng(3)
        for variable in v1.global_variables():
            if variable.dtype.base_dtype.is_floating:
                fan = max(1, int(np.prod(variable.shape.as_list()[:-1])))
                value = rng.integers(-8, 9, variable.shape.as_list()) / 8 / np.sqrt(fan) * 1.5
                variable.load(np.abs(value) + 0.5 if "variance" in variable.name else value, sess)
        save(sess)
        for name, values in (golden_weights(sess) if golden_weights else {}).items():
            next(v for v in v1.global_variables() if v.op.name == name).load(values, sess)
        fed = {tensors.get(key, key): value for key, value in feeds.items()}
        found = sess.run({name: tensors[name] for name in outputs}, fed)
    named = {key: value for key, value in feeds.items() if isinstance(value, np.ndarray)}
    golden(folder, named, found)
    for inner in ("train", "save", "model_dir"):
        with contextlib.suppress(OSError):
            (folder / inner).rmdir()
    if not meta:
        for file in folder.rglob("*.meta"):
            file.unlink()


def conv_bn(x, filters, scope, training, stride=1):
    with v1.variable_scope(scope):
        weights = v1.get_variable("weights", [3, 3, int(x.shape[-1]), filters])
        x = tf.nn.conv2d(x, weights, stride, "SAME")
        with v1.variable_scope("BatchNorm"):
            size = [filters]
            gamma, beta = v1.get_variable("gamma", size), v1.get_variable("beta", size)
            mean = v1.get_variable("moving_mean", size, trainable=False)
            variance = v1.get_variable("moving_variance", size, trainable=False)
            x = tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-3)
    return tf.nn.relu6(x)


@repository(
    KERAS_2,
    """
[models.detector]
checkpoints = ["{here}/model.ckpt"]
targets = ["saved-model", "frozen-graph"]
restore.weights = "raw"
verify.golden = "{here}/golden.npz"
[models.detector.signatures.serving_default]
inputs.image = { tensor = "image_tensor:0", dtype = "uint8", shape = ["batch", 16, 16, 3] }
outputs = { boxes = "detection_boxes:0", scores = "detection_scores:0" }
""",
)
def object_detection(folder):
    """The Object Detection API: slim scopes, momentum, moving averages, a uint8 placeholder."""

    def build():
        image = v1.placeholder(tf.uint8, [None, None, None, 3], name="image_tensor")
        x = tf.cast(tf.reshape(image, [-1, 16, 16, 3]), tf.float32) * (2.0 / 255.0) - 1.0
        with v1.variable_scope("FeatureExtractor/MobilenetV1"):
            for number, filters in enumerate((4, 6)):
                x = conv_bn(x, filters, f"Conv2d_{number}", False, stride=2)
        with v1.variable_scope("BoxPredictor_0"):
            with v1.variable_scope("BoxEncodingPredictor"):
                kernel = v1.get_variable("weights", [1, 1, 6, 4])
                boxes = tf.nn.conv2d(x, kernel, 1, "SAME") + v1.get_variable("biases", [4])
            with v1.variable_scope("ClassPredictor"):
                kernel = v1.get_variable("weights", [1, 1, 6, 3])
                scores = tf.nn.conv2d(x, kernel, 1, "SAME") + v1.get_variable("biases", [3])
        boxes = tf.reshape(boxes, [-1, 16, 4], name="detection_boxes")
        scores = tf.sigmoid(tf.reshape(scores, [-1, 16, 3]), name="detection_scores")
        step = v1.train.get_or_create_global_step()
        loss = tf.reduce_mean(boxes) + tf.reduce_mean(scores)
        train = v1.train.MomentumOptimizer(0.01, 0.9).minimize(loss, global_step=step)
        with tf.control_dependencies([train]):
            v1.train.ExponentialMovingAverage(0.999).apply(v1.trainable_variables())
        return {"image": image, "boxes": boxes, "scores": scores}

    image = ((floats(2, 16, 16, 3) + 1) * 120).astype("uint8")
    session(
        folder,
        build,
        lambda s: v1.train.Saver().save(s, str(folder / "model.ckpt"), write_state=False),
        {"image": image},
        ["boxes", "scores"],
    )


@repository(
    KERAS_2,
    """
[models.estimator]
checkpoints = ["{here}/model_dir"]
targets = ["saved-model", "frozen-graph"]
verify.golden = "{here}/golden.npz"
[models.estimator.signatures.serving_default]
inputs.x = { tensor = "IteratorGetNext:0", dtype = "float32", shape = ["batch", 5] }
outputs = { probabilities = "head/predictions/probabilities:0" }
""",
)
def estimator(folder):
    """An Estimator's training graph: the input comes from an iterator, not from a placeholder."""

    def build():
        data = v1.data.Dataset.from_tensor_slices((np.zeros((8, 5), "f"), np.zeros(8, "i")))
        features, labels = v1.data.make_one_shot_iterator(data.batch(4).repeat()).get_next()
        with v1.variable_scope("dnn/hiddenlayer_0"):
            hidden = tf.nn.relu(
                features @ v1.get_variable("kernel", [5, 6]) + v1.get_variable("bias", [6])
            )
        with v1.variable_scope("dnn/logits"):
            logits = hidden @ v1.get_variable("kernel", [6, 3]) + v1.get_variable("bias", [3])
        with v1.name_scope("head/predictions/"):
            probabilities = tf.nn.softmax(logits, name="probabilities")
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        )
        step = v1.train.get_or_create_global_step()
        v1.train.AdagradOptimizer(0.05).minimize(loss, global_step=step)
        return {"x": features, "probabilities": probabilities}

    def save(sess):
        saver = v1.train.Saver(max_to_keep=5, sharded=True, save_relative_paths=True)
        for step in (0, 500, 1000):
            saver.save(sess, str(folder / "model_dir/model.ckpt"), global_step=step)

    session(folder, build, save, {"x": floats(3, 5)}, ["probabilities"])


@repository(
    KERAS_2,
    """
[models.char-rnn]
checkpoints = ["{here}/save"]
targets = ["saved-model"]
verify.golden = "{here}/golden.npz"
[models.char-rnn.signatures.serving_default]
inputs.ids = { tensor = "Placeholder:0", dtype = "int32", shape = [2, 3] }
outputs = { probabilities = "probs:0", state = "final_state:0" }
""",
)
def char_rnn(folder):
    """Fixed sizes, an LSTM's state that begins at zeros, two runs of `Variable`."""

    def build():
        given = v1.placeholder(tf.int32, [2, 3])
        targets = v1.placeholder(tf.int32, [2, 3])
        cell = v1.nn.rnn_cell.MultiRNNCell([v1.nn.rnn_cell.LSTMCell(4) for _ in range(2)])
        state = cell.zero_state(2, tf.float32)
        with v1.variable_scope("rnnlm"):
            softmax_w = v1.get_variable("softmax_w", [4, 7])
            softmax_b = v1.get_variable("softmax_b", [7])
            embedding = v1.get_variable("embedding", [7, 4])
            output, last = v1.nn.dynamic_rnn(
                cell, tf.nn.embedding_lookup(embedding, given), initial_state=state
            )
        logits = tf.reshape(output, [-1, 4]) @ softmax_w + softmax_b
        probs = tf.nn.softmax(logits, name="probs")
        final = tf.concat([part for pair in last for part in pair], 1, name="final_state")
        tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels=tf.reshape(targets, [-1]), logits=logits
            )
        )
        tf.Variable(0.0, trainable=False, name="Variable")
        return {"ids": given, "probabilities": probs, "state": final}

    def save(sess):
        v1.train.Saver().save(sess, str(folder / "save/model.ckpt"), global_step=22300)

    session(folder, build, save, {"ids": ids(2, 3, below=7)}, ["probabilities", "state"])


class SelfAttention(tf.Module):
    """BERT's layer with the names of its checkpoint, in code of today."""

    def __init__(self, size):
        super().__init__()
        with tf.name_scope("attention"):
            with tf.name_scope("self"):
                self.query, self.key, self.value = (
                    dense(size, size, n) for n in ("query", "key", "value")
                )
            with tf.name_scope("output"):
                self.output, self.norm = dense(size, size, "dense"), norm(size)
        with tf.name_scope("intermediate"):
            self.inner = dense(size, 2 * size, "dense")
        with tf.name_scope("output"):
            self.outer, self.last = dense(2 * size, size, "dense"), norm(size)

    def __call__(self, x):
        q, k, v = (x @ w + b for w, b in (self.query, self.key, self.value))
        attended = tf.nn.softmax(q @ tf.transpose(k, [0, 2, 1]) / 2.0) @ v
        x = normed(x + attended @ self.output[0] + self.output[1], self.norm)
        inner = tf.nn.relu(x @ self.inner[0] + self.inner[1])
        return normed(x + inner @ self.outer[0] + self.outer[1], self.last)


def dense(rows, columns, name):
    with tf.name_scope(name):
        kernel = tf.Variable(tf.zeros((rows, columns)), name="kernel")
        return kernel, tf.Variable(tf.zeros(columns), name="bias")


def norm(size):
    with tf.name_scope("LayerNorm"):
        return tf.Variable(tf.zeros(size), name="gamma"), tf.Variable(tf.zeros(size), name="beta")


def normed(x, weights):
    mean, variance = tf.nn.moments(x, [-1], keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + 1e-6) * weights[0] + weights[1]


class Bert(tf.Module):
    def __init__(self, size=4, vocabulary=9):
        super().__init__()
        with tf.name_scope("bert"):
            with tf.name_scope("embeddings"):
                words = tf.zeros((vocabulary, size))
                self.words = tf.Variable(words, name="word_embeddings")
                self.first = norm(size)
            with tf.name_scope("encoder"):
                self.blocks = []
                for number in range(2):
                    with tf.name_scope(f"layer_{number}"):
                        self.blocks.append(SelfAttention(size))
            with tf.name_scope("pooler"):
                self.pooler = dense(size, size, "dense")

    def __call__(self, input_ids):
        x = normed(tf.gather(self.words, input_ids), self.first)
        for block in self.blocks:
            x = block(x)
        return tf.tanh(x[:, 0] @ self.pooler[0] + self.pooler[1]), x


def bert():
    return Bert()


@repository(
    KERAS_2,
    """
[models.bert]
entry-point = "tf1_graphs:bert"
checkpoints = ["{here}/bert_model.ckpt"]
restore.allow-unused = ["cls/*"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.input_ids = { dtype = "int32", shape = ["batch", "time"] }
signatures.serving_default.outputs = ["pooled", "sequence"]
""",
)
def bert_names(folder):
    """Names alone, with the optimizer's own slots and the pretraining head."""

    def build():
        given = v1.placeholder(tf.int32, [None, None])

        def pair(rows, columns, name):
            with v1.variable_scope(name):
                return v1.get_variable("kernel", [rows, columns]), v1.get_variable(
                    "bias", [columns]
                )

        def scaled(name="LayerNorm"):
            with v1.variable_scope(name):
                return v1.get_variable("gamma", [4]), v1.get_variable("beta", [4])

        with v1.variable_scope("bert"):
            with v1.variable_scope("embeddings"):
                words = v1.get_variable("word_embeddings", [9, 4])
                x = normed(tf.gather(words, given), scaled())
            for number in range(2):
                with v1.variable_scope(f"encoder/layer_{number}"):
                    with v1.variable_scope("attention/self"):
                        q, k, v = (
                            x @ w + b for w, b in (pair(4, 4, n) for n in ("query", "key", "value"))
                        )
                    attended = tf.nn.softmax(q @ tf.transpose(k, [0, 2, 1]) / 2.0) @ v
                    with v1.variable_scope("attention/output"):
                        w, b = pair(4, 4, "dense")
                        x = normed(x + attended @ w + b, scaled())
                    with v1.variable_scope("intermediate"):
                        w, b = pair(4, 8, "dense")
                        inner = tf.nn.relu(x @ w + b)
                    with v1.variable_scope("output"):
                        w, b = pair(8, 4, "dense")
                        x = normed(x + inner @ w + b, scaled())
            with v1.variable_scope("pooler"):
                w, b = pair(4, 4, "dense")
                pooled = tf.tanh(x[:, 0] @ w + b)
        for item in v1.trainable_variables():
            for slot in ("adam_m", "adam_v"):
                v1.get_variable(f"{item.op.name}/{slot}", item.shape.as_list(), trainable=False)
        with v1.variable_scope("cls/seq_relationship"):
            v1.get_variable("output_weights", [2, 4])
        v1.train.get_or_create_global_step()
        return {"input_ids": given, "pooled": pooled, "sequence": x}

    session(
        folder,
        build,
        lambda s: v1.train.Saver().save(s, str(folder / "bert_model.ckpt"), write_state=False),
        {"input_ids": ids(2, 5, below=9)},
        ["pooled", "sequence"],
        meta=False,
    )


@repository(
    KERAS_2,
    """
[models.cifar]
checkpoints = ["{here}/train/model.ckpt-*"]
targets = ["saved-model", "frozen-graph"]
verify.golden = "{here}/golden.npz"
[models.cifar.signatures.serving_default]
inputs.image = { tensor = "Placeholder:0", dtype = "float32", shape = ["batch", 8, 8, 3] }
outputs = { logits = "softmax_linear/softmax_linear:0" }
""",
)
def cifar_averages(folder):
    """The evaluation graph reads the averages under the names of the raw variables: its Saver
    maps names, so the `.meta` says where each value lies."""
    decay = v1.train.ExponentialMovingAverage(0.9)

    def build():
        image = v1.placeholder(tf.float32, [None, 8, 8, 3])
        with v1.variable_scope("conv1"):
            kernel = v1.get_variable("weights", [3, 3, 3, 4])
            x = tf.nn.relu(tf.nn.conv2d(image, kernel, 2, "SAME") + v1.get_variable("biases", [4]))
        x = tf.nn.lrn(tf.nn.max_pool2d(x, 2, 2, "SAME"), 4)
        with v1.variable_scope("softmax_linear") as scope:
            weights = v1.get_variable("weights", [16, 5])
            flat = tf.reshape(x, [-1, 16])
            logits = tf.add(flat @ weights, v1.get_variable("biases", [5]), name=scope.name)
        return {"image": image, "logits": logits}

    def save(sess):
        saver = v1.train.Saver(decay.variables_to_restore(v1.trainable_variables()))
        saver.save(sess, str(folder / "train/model.ckpt"), global_step=10000)

    session(folder, build, save, {"image": floats(2, 8, 8, 3)}, ["logits"])
