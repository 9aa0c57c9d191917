"""What training leaves beside the weights, and code that only the old Keras takes."""

import numpy as np
import tensorflow as tf
from repository import KERAS_2, KERAS_3, fit_once, floats, golden, ids, repository, trained

layers = tf.keras.layers


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.l1 = layers.Dense(5)

    def call(self, x):
        return self.l1(x)


def net():
    return Net()


GUIDE = """
[models.NAME]
entry-point = "training:net"
checkpoints = ["{here}/tf_ckpts"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.x = { dtype = "float32", shape = ["batch", 1] }
signatures.serving_default.outputs = ["y"]
"""


def save_guide(folder):
    """TensorFlow's own guide: the position in the data is saved too."""
    model, x = net(), floats(3, 1)
    model(x)
    trained(model)
    optimizer = tf.keras.optimizers.Adam(0.1)
    data = tf.data.Dataset.range(10).shuffle(5).repeat().batch(2)
    checkpoint = tf.train.Checkpoint(
        step=tf.Variable(1), optimizer=optimizer, net=model, iterator=iter(data)
    )
    manager = tf.train.CheckpointManager(checkpoint, str(folder / "tf_ckpts"), max_to_keep=3)
    for _ in range(11):
        next(checkpoint.iterator)
        fit_once(model, optimizer, x)
        checkpoint.step.assign_add(1)
        manager.save()
    golden(folder, {"x": x}, {"y": model(x)})


@repository(KERAS_2, GUIDE.replace("NAME", "guide"))
def checkpoint_guide(folder):
    save_guide(folder)


@repository(KERAS_3, GUIDE.replace("NAME", "guide-3"))
def checkpoint_guide_3(folder):
    save_guide(folder)


def mixed():
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        image = layers.Input((8, 8, 3))
        x = layers.RandomRotation(0.1)(layers.RandomFlip("horizontal")(image))
        x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(4, 3)(x)))
        x = layers.GlobalAveragePooling2D()(x)
        return tf.keras.Model(image, layers.Dense(3, activation="softmax", dtype="float32")(x))
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")


MIXED = """
[models.NAME]
entry-point = "training:mixed"
checkpoints = ["{here}/mp/ckpt-*"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.image = { dtype = "float32", shape = ["batch", 8, 8, 3] }
signatures.serving_default.outputs = ["scores"]
"""


def save_mixed(folder):
    model, image = mixed(), floats(2, 8, 8, 3)
    trained(model)
    optimizer = tf.keras.mixed_precision.LossScaleOptimizer(tf.keras.optimizers.Adam())
    fit_once(model, optimizer, image)
    tf.train.Checkpoint(model=model, optimizer=optimizer).save(str(folder / "mp/ckpt"))
    golden(folder, {"image": image}, {"scores": model(image, training=False)})


@repository(KERAS_2, MIXED.replace("NAME", "mixed"))
def mixed_precision(folder):
    save_mixed(folder)


@repository(KERAS_3, MIXED.replace("NAME", "mixed-3"))
def mixed_precision_3(folder):
    save_mixed(folder)


def small():
    return tf.keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(5, activation="relu"),
            layers.BatchNormalization(),
            layers.Dense(2),
        ]
    )


BACKUP = """
[models.NAME]
entry-point = "training:small"
checkpoints = ["{here}/FOLDER"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.x = { dtype = "float32", shape = ["batch", 4] }
signatures.serving_default.outputs = ["y"]
"""


class Interrupted(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def save_backup(folder):
    """What BackupAndRestore leaves of a training that was interrupted."""
    model, x = small(), floats(6, 4)
    model.compile("adam", "mse")
    backup = tf.keras.callbacks.BackupAndRestore(str(folder / "backup"), delete_checkpoint=False)
    try:
        model.fit(x, x[:, :2], epochs=5, verbose=0, callbacks=[backup, Interrupted()])
    except KeyboardInterrupt:
        golden(folder, {"x": x}, {"y": model(x)})


@repository(KERAS_2, BACKUP.replace("NAME", "backup").replace("FOLDER", "backup/chief"))
def backup_and_restore(folder):
    save_backup(folder)


@repository(KERAS_3, BACKUP.replace("NAME", "backup-3").replace("FOLDER", "backup"))
def backup_and_restore_3(folder):
    save_backup(folder)


def old_words():
    """Arguments and calls that Keras 3 has not: operations on symbolic tensors, `weights=`."""
    tokens = layers.Input((6,), dtype="int32", name="tokens")
    start = np.eye(9, 4, dtype="float32")
    x = layers.Embedding(9, 4, weights=[start], input_length=6, trainable=False)(tokens)
    x = tf.concat([x, tf.nn.relu(-x)], axis=-1) * 2.0
    x = layers.LSTM(5, time_major=False, implementation=2)(x)
    x = tf.math.l2_normalize(x + 0.5, axis=1)
    return tf.keras.Model(tokens, layers.Dense(3)(x[:, 1:]))


@repository(
    KERAS_2,
    """
[models.old-words]
entry-point = "training:old_words"
checkpoints = ["{here}/w.h5"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.tokens = { dtype = "int32", shape = ["batch", 6] }
signatures.serving_default.outputs = ["y"]
""",
)
def old_arguments(folder):
    model, tokens = old_words(), ids(2, 6, below=9)
    trained(model)
    model.save_weights(str(folder / "w.h5"))
    golden(folder, {"tokens": tokens}, {"y": model(tokens)})


def moving_average(inner):
    """As TensorFlow Addons' MovingAverage: an optimizer around another, with a slot `average`."""

    class MovingAverage(tf.keras.optimizers.legacy.Optimizer):
        def __init__(self):
            super().__init__("MovingAverage")
            self._optimizer = inner

        def _create_slots(self, var_list):
            self._optimizer._create_slots(var_list)
            for variable in var_list:
                self.add_slot(variable, "average")

        def _create_hypers(self):
            self._optimizer._create_hypers()

        def _resource_apply_dense(self, grad, var, apply_state=None):
            state = self._optimizer._prepare([var])
            done = self._optimizer._resource_apply_dense(grad, var, apply_state=state)
            average = self.get_slot(var, "average")
            average.assign(0.9 * average + 0.1 * var)
            return done

    return MovingAverage()


@repository(
    KERAS_2,
    """
[models.addons-average]
entry-point = "training:small"
checkpoints = ["{here}/ck-*"]
restore.weights = "ema"
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.x = { dtype = "float32", shape = ["batch", 4] }
signatures.serving_default.outputs = ["y"]
""",
)
def addons_average(folder):
    model, x = small(), floats(6, 4)
    trained(model)
    optimizer = moving_average(tf.keras.optimizers.legacy.Adam())
    fit_once(model, optimizer, x)
    tf.train.Checkpoint(model=model, optimizer=optimizer).save(str(folder / "ck"))
    for variable in model.trainable_variables:
        variable.assign(optimizer.get_slot(variable, "average"))
    golden(folder, {"x": x}, {"y": model(x)})
