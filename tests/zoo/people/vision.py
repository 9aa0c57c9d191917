"""Detectors, recognisers, segmentation, and networks that began with somebody else's weights."""

import tensorflow as tf
from repository import KERAS_2, KERAS_3, fit_once, floats, golden, repository, trained

layers = tf.keras.layers


class BatchNormalization(tf.keras.layers.BatchNormalization):
    """Frozen means inference, as in the YOLO repositories."""

    def call(self, x, training=False):
        if training is None:
            training = tf.constant(False)
        return super().call(x, training=training)


def darknet_conv(x, filters, size, strides=1):
    if strides == 2:
        x = layers.ZeroPadding2D(((1, 0), (1, 0)))(x)
    padding = "valid" if strides == 2 else "same"
    x = layers.Conv2D(filters, size, strides=strides, padding=padding, use_bias=False)(x)
    return layers.LeakyReLU()(BatchNormalization()(x))


def darknet_block(x, filters, blocks):
    x = darknet_conv(x, filters, 3, strides=2)
    for _ in range(blocks):
        shortcut = x
        x = darknet_conv(darknet_conv(x, filters // 2, 1), filters, 3)
        x = layers.Add()([shortcut, x])
    return x


def darknet(name=None):
    x = inputs = layers.Input([None, None, 3])
    x = darknet_conv(x, 4, 3)
    x = x_36 = darknet_block(x, 4, 1)
    x = darknet_block(x, 6, 1)
    return tf.keras.Model(inputs, (x_36, x), name=name)


def yolo_conv(filters, name):
    def apply(x_in):
        if isinstance(x_in, tuple):
            inputs = layers.Input(x_in[0].shape[1:]), layers.Input(x_in[1].shape[1:])
            x, x_skip = inputs
            x = layers.UpSampling2D(2)(darknet_conv(x, filters, 1))
            x = layers.Concatenate()([x, x_skip])
        else:
            x = inputs = layers.Input(x_in.shape[1:])
        x = darknet_conv(darknet_conv(x, filters, 1), filters * 2, 3)
        return tf.keras.Model(inputs, x, name=name)(x_in)

    return apply


def yolo_output(filters, anchors, classes, name):
    def apply(x_in):
        x = inputs = layers.Input(x_in.shape[1:])
        x = darknet_conv(x, filters * 2, 3)
        x = layers.Conv2D(anchors * (classes + 5), 1)(x)
        return tf.keras.Model(inputs, x, name=name)(x_in)

    return apply


def yolo(classes=2):
    x = inputs = layers.Input([16, 16, 3], name="input")
    x_36, x = darknet(name="yolo_darknet")(x)
    x = yolo_conv(4, name="yolo_conv_0")(x)
    output_0 = yolo_output(4, 2, classes, name="yolo_output_0")(x)
    x = yolo_conv(3, name="yolo_conv_1")((x, x_36))
    output_1 = yolo_output(3, 2, classes, name="yolo_output_1")(x)
    return tf.keras.Model(inputs, (output_0, output_1), name="yolov3")


@repository(
    KERAS_2,
    """
[models.yolo]
entry-point = "vision:yolo"
checkpoints = ["{here}/checkpoints/yolov3_train_*.tf"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.input = { dtype = "float32", shape = ["batch", 16, 16, 3] }
signatures.serving_default.outputs = ["large", "small"]
""",
)
def yolov3(folder):
    """Nested models, a layer of the same class name as Keras' own, epochs in the name."""
    model, image = yolo(), floats(2, 16, 16, 3)
    trained(model)
    for epoch in (1, 2, 10):
        model.save_weights(str(folder / f"checkpoints/yolov3_train_{epoch}.tf"))
    golden(folder, {"input": image}, dict(zip(["large", "small"], model(image), strict=True)))


def fine_tuned(classes=4):
    """EfficientNet's blocks, as a model inside a model, with a head of one's own."""
    x = inputs = layers.Input((16, 16, 3))
    x = layers.Rescaling(1.0 / 255)(x)
    x = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False, name="stem_conv")(x)
    x = layers.Activation("swish")(layers.BatchNormalization(name="stem_bn")(x))
    for block in range(2):
        y = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"b{block}_dwconv")(x)
        y = layers.Activation("swish")(layers.BatchNormalization(name=f"b{block}_bn")(y))
        se = layers.GlobalAveragePooling2D(name=f"b{block}_se_squeeze")(y)
        se = layers.Reshape((1, 1, 4))(se)
        se = layers.Conv2D(2, 1, activation="swish", name=f"b{block}_se_reduce")(se)
        se = layers.Conv2D(4, 1, activation="sigmoid", name=f"b{block}_se_expand")(se)
        y = layers.multiply([y, se])
        y = layers.Conv2D(4, 1, use_bias=False, name=f"b{block}_project_conv")(y)
        x = layers.add([layers.BatchNormalization(name=f"b{block}_project_bn")(y), x])
    base = tf.keras.Model(inputs, x, name="efficientnetb0")
    base.trainable = False
    return tf.keras.Sequential(
        [
            layers.Input((16, 16, 3)),
            base,
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.2),
            layers.Dense(classes, activation="softmax", name="predictions"),
        ]
    )


@repository(
    KERAS_2,
    """
[models.fine-tuned]
entry-point = "vision:fine_tuned"
checkpoints = ["{here}/best/weights.*.h5"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.image = { dtype = "float32", shape = ["batch", 16, 16, 3] }
signatures.serving_default.outputs = ["predictions"]
""",
)
def efficientnet(folder):
    """Frozen base, then unfrozen in part before the second phase; weights with metrics in names."""
    model, image = fine_tuned(), floats(2, 16, 16, 3) * 120 + 125
    trained(model)
    (folder / "best").mkdir()
    model.save_weights(str(folder / "best/weights.05-0.81.h5"))
    model.layers[0].trainable = True
    for layer in model.layers[0].layers[:-6]:
        layer.trainable = False
    model.save_weights(str(folder / "best/weights.12-0.93.h5"))
    golden(folder, {"image": image}, {"predictions": model(image, training=False)})


def application(classes=5):
    return tf.keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, weights=None, classes=classes)


APPLICATION = """
[models.NAME]
entry-point = "vision:application"
checkpoints = ["{here}/FILE"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.image = { dtype = "float32", shape = ["batch", 32, 32, 3] }
signatures.serving_default.outputs = ["scores"]
"""


def save_application(folder, save):
    model, image = application(), floats(2, 32, 32, 3)
    trained(model)
    save(model)
    golden(folder, {"image": image}, {"scores": model(image, training=False)})


@repository(
    KERAS_2, APPLICATION.replace("NAME", "application").replace("FILE", "mobilenet_v2_top.h5")
)
def keras_application(folder):
    save_application(folder, lambda m: m.save_weights(str(folder / "mobilenet_v2_top.h5")))


@repository(
    KERAS_3, APPLICATION.replace("NAME", "application-3").replace("FILE", "best.weights.h5")
)
def keras_application_3(folder):
    save_application(folder, lambda m: m.save_weights(str(folder / "best.weights.h5")))


class ArcMarginPenaltyLogists(layers.Layer):
    def __init__(self, num_classes, margin=0.5, logist_scale=8, **kwargs):
        super().__init__(**kwargs)
        self.num_classes, self.margin, self.logist_scale = num_classes, margin, logist_scale

    def build(self, input_shape):
        shape = [int(input_shape[-1]), self.num_classes]
        self.w = self.add_weight(name="weights", shape=shape)

    def call(self, embds):
        return tf.matmul(tf.nn.l2_normalize(embds, 1), tf.nn.l2_normalize(self.w, 0)) * 8.0


def arcface(training=False):
    """The head is there in training alone."""
    inputs = layers.Input((12, 12, 3), name="input_image")
    x = layers.Conv2D(4, 3, strides=2)(inputs)
    backbone = tf.keras.Model(inputs, layers.PReLU(shared_axes=[1, 2])(x), name="backbone")
    x = backbone(inputs)
    embed = tf.keras.Sequential(
        [
            layers.Input(backbone.output_shape[1:]),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Flatten(),
            layers.Dense(8),
            layers.BatchNormalization(),
        ],
        name="OutputLayer",
    )
    embedding = embed(x)
    if not training:
        return tf.keras.Model(inputs, embedding, name="arcface_model")
    logits = ArcMarginPenaltyLogists(7, name="ArcHead")(embedding)
    return tf.keras.Model(inputs, logits, name="arcface_model")


@repository(
    KERAS_2,
    """
[models.arcface]
entry-point = "vision:arcface"
checkpoints = ["{here}/checkpoints/arc_res50/e_*_b_*.ckpt"]
restore.allow-unused = ["layer_with_weights-2/*"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.input_image = { dtype = "float32", shape = ["batch", 12, 12, 3] }
signatures.serving_default.outputs = ["embedding"]
""",
)
def face_recognition(folder):
    """The exported model leaves out the head that was trained with it."""
    model, image = arcface(training=True), floats(3, 12, 12, 3)
    trained(model)
    model.save_weights(str(folder / "checkpoints/arc_res50/e_8_b_500.ckpt"))
    embedding = model.get_layer("OutputLayer")(model.get_layer("backbone")(image))
    golden(folder, {"input_image": image}, {"embedding": embedding})


def dice_coef(y_true, y_pred):
    return (2.0 * tf.reduce_sum(y_true * y_pred) + 1.0) / (
        tf.reduce_sum(y_true) + tf.reduce_sum(y_pred) + 1.0
    )


def unet(filters=3):
    inputs = layers.Input((16, 16, 1))
    conv1 = layers.Conv2D(filters, 3, activation="relu", padding="same")(inputs)
    conv1 = layers.Conv2D(filters, 3, activation="relu", padding="same")(conv1)
    pool1 = layers.MaxPooling2D()(conv1)
    conv2 = layers.Dropout(0.5)(layers.Conv2D(filters * 2, 3, padding="same")(pool1))
    up = layers.Conv2D(filters, 2, padding="same")(layers.UpSampling2D(size=(2, 2))(conv2))
    merge = layers.concatenate([conv1, up], axis=3)
    conv3 = layers.Conv2D(filters, 3, activation="relu", padding="same")(merge)
    model = tf.keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(conv3))
    model.compile("adam", loss="binary_crossentropy", metrics=[dice_coef])
    return model


@repository(
    KERAS_2,
    """
[models.unet]
entry-point = "vision:unet"
checkpoints = ["{here}/unet_membrane.hdf5"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.image = { dtype = "float32", shape = ["batch", 16, 16, 1] }
signatures.serving_default.outputs = ["mask"]
""",
)
def unet_membrane(folder):
    """A whole compiled model with a metric of its own, under another extension."""
    model, image = unet(), floats(2, 16, 16, 1)
    fit_once(model, model.optimizer, image)
    trained(model)
    model.save(str(folder / "unet_membrane.hdf5"))
    golden(folder, {"image": image}, {"mask": model(image, training=False)})
