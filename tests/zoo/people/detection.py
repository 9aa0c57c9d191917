"""Detectors, whose heads reshape to [batch, -1, classes]; and layers around what is no Keras."""

import tensorflow as tf
from repository import KERAS_2, KERAS_3, floats, golden, repository, trained

layers = tf.keras.layers


class FeatureExtractor(tf.keras.Model):
    """As in the Object Detection API: layers are made in `build`, and lie in lists of lists."""

    def build(self, input_shape=None):
        image = layers.Input((None, None, 3))
        fine = layers.Conv2D(4, 3, strides=2, padding="same", name="conv1_conv")(image)
        fine = layers.ReLU()(layers.BatchNormalization(name="conv1_bn")(fine))
        coarse = layers.Conv2D(5, 3, strides=2, padding="same", name="conv2_conv")(fine)
        self.classification_backbone = tf.keras.Model(image, [fine, coarse])
        self._fpn = tf.keras.Sequential([layers.Conv2D(4, 1, name="projection")])
        self._coarse = [
            [layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization()] for _ in range(2)
        ]
        self.built = True

    def call(self, image):
        found = [self._fpn(self.classification_backbone(image)[1])]
        for level in self._coarse:
            x = found[-1]
            for layer in level:
                x = layer(x)
            found.append(x)
        return found


class BoxPredictor(layers.Layer):
    def __init__(self):
        super().__init__(name="BoxPredictor")
        self._prediction_heads = {
            "box_encodings": [layers.Conv2D(4, 1) for _ in range(3)],
            "class_predictions_with_background": [layers.Conv2D(2, 1) for _ in range(3)],
        }

    def call(self, features):
        return [
            tf.concat(
                [
                    tf.reshape(head(x), [tf.shape(x)[0], -1, head.filters])
                    for head, x in zip(heads, features, strict=True)
                ],
                axis=1,
            )
            for heads in self._prediction_heads.values()
        ]


class DetectionModel(tf.Module):
    def __init__(self):
        super().__init__()
        self._feature_extractor = FeatureExtractor(name="ResNet50V1")
        self._box_predictor = BoxPredictor()

    def detect(self, image):
        boxes, scores = self._box_predictor(self._feature_extractor(image - 0.1))
        return {"boxes": boxes, "scores": tf.sigmoid(scores)}


def detector():
    model = DetectionModel()
    model.detect(tf.zeros((1, 8, 8, 3)))
    return model


@repository(
    KERAS_2,
    """
[models.detector]
entry-point = "detection:detector"
checkpoints = ["{here}/checkpoint/ckpt-0"]
verify.golden = "{here}/golden.npz"
[models.detector.signatures.serving_default]
method = "detect"
inputs.image = { dtype = "float32", shape = ["batch", 8, 8, 3] }
outputs = ["boxes", "scores"]
""",
)
def detection_api(folder):
    model, image = detector(), floats(2, 8, 8, 3)
    trained(model)
    optimizer = tf.keras.optimizers.SGD(0.1, momentum=0.9)
    optimizer.build(model.trainable_variables)
    step = tf.Variable(3, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(step=step, model=model, optimizer=optimizer)
    checkpoint.write(str(folder / "checkpoint/ckpt-0"))
    golden(folder, {"image": image}, model.detect(image))


class FeaturePyramid(layers.Layer):
    def __init__(self, backbone):
        super().__init__(name="FeaturePyramid")
        self.backbone = backbone
        self.conv_c3_1x1, self.conv_c4_1x1 = layers.Conv2D(4, 1), layers.Conv2D(4, 1)
        self.conv_c3_3x3 = layers.Conv2D(4, 3, padding="same")
        self.upsample_2x = layers.UpSampling2D(2)

    def call(self, images, training=False):
        c3, c4 = self.backbone(images, training=training)
        p4 = self.conv_c4_1x1(c4)
        return self.conv_c3_3x3(self.conv_c3_1x1(c3) + self.upsample_2x(p4)), p4


def backbone():
    image = layers.Input([None, None, 3])
    c3 = layers.BatchNormalization()(layers.Conv2D(4, 3, strides=2, padding="same")(image))
    c4 = layers.Conv2D(6, 3, strides=2, padding="same", name="c4")(layers.ReLU()(c3))
    return tf.keras.Model(inputs=[image], outputs=[c3, c4])


def head(filters, bias):
    return tf.keras.Sequential(
        [
            layers.Input([None, None, 4]),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.Conv2D(filters, 3, padding="same", bias_initializer=bias),
        ]
    )


class RetinaNet(tf.keras.Model):
    def __init__(self, classes=3):
        super().__init__(name="RetinaNet")
        self.fpn, self.classes = FeaturePyramid(backbone()), classes
        self.cls_head = head(2 * classes, tf.constant_initializer(-4.6))
        self.box_head = head(2 * 4, "zeros")

    def call(self, image, training=False):
        features, rows = self.fpn(image, training=training), tf.shape(image)[0]
        scores = [tf.reshape(self.cls_head(x), [rows, -1, self.classes]) for x in features]
        boxes = [tf.reshape(self.box_head(x), [rows, -1, 4]) for x in features]
        return tf.concat([tf.concat(boxes, axis=1), tf.concat(scores, axis=1)], axis=-1)


def retinanet():
    return RetinaNet()


RETINANET = """
[models.NAME]
entry-point = "detection:retinanet"
checkpoints = ["{here}/retinanet"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.image = { dtype = "float32", shape = ["batch", 8, 8, 3] }
signatures.serving_default.outputs = ["predictions"]
"""


def save_retinanet(folder, ending):
    model, image = retinanet(), floats(2, 8, 8, 3)
    model(image)
    trained(model)
    model.compile("sgd", "mse")
    (folder / "retinanet").mkdir()
    for epoch in (2, 10):
        model.save_weights(str(folder / f"retinanet/weights_epoch_{epoch}{ending}"))
    golden(folder, {"image": image}, {"predictions": model(image)})


@repository(KERAS_2, RETINANET.replace("NAME", "retinanet"))
def retina_net(folder):
    save_retinanet(folder, "")


@repository(KERAS_3, RETINANET.replace("NAME", "retinanet-3"))
def retina_net_3(folder):
    save_retinanet(folder, ".weights.h5")


class FromHub(layers.Layer):
    """A SavedModel in a layer: Keras counts its variables as nobody's weights."""

    def __init__(self, path):
        super().__init__()
        self._func = tf.saved_model.load(path)

    def call(self, x):
        return self._func(x)


class Feature(tf.Module):
    def __init__(self):
        super().__init__()
        self.kernels = [tf.Variable(tf.ones((4, 3)))]
        self.scale = tf.Variable([1.0, 2.0, 3.0])

    @tf.function(input_signature=[tf.TensorSpec([None, 4])])
    def __call__(self, x):
        return tf.nn.tanh(x @ self.kernels[0]) * self.scale


def on_feature(path):
    return tf.keras.Sequential([layers.Input((4,)), FromHub(path), layers.Dense(2)])


@repository(
    KERAS_2,
    """
[models.hub]
entry-point = "detection:on_feature"
arguments.path = "{here}/module"
checkpoints = ["{here}/weights/cp"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.x = { dtype = "float32", shape = ["batch", 4] }
signatures.serving_default.outputs = ["y"]
""",
)
def hub_layer(folder):
    """The feature was tuned too: the checkpoint has other values than the SavedModel."""
    tf.saved_model.save(Feature(), str(folder / "module"))
    model, x = on_feature(str(folder / "module")), floats(3, 4)
    trained(model)
    for variable in (model.layers[0]._func.kernels[0], model.layers[0]._func.scale):
        variable.assign(floats(*variable.shape, seed=4) + 0.3)
    model.save_weights(str(folder / "weights/cp"))
    golden(folder, {"x": x}, {"y": model(x)})
