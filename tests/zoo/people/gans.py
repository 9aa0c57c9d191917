"""Networks that are trained against each other."""

import tensorflow as tf
from repository import KERAS_2, KERAS_3, fit_once, floats, golden, repository, trained

layers = tf.keras.layers


class InstanceNormalization(layers.Layer):
    def __init__(self, epsilon=1e-5):
        super().__init__()
        self.epsilon = epsilon

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=input_shape[-1:], trainable=True)
        self.offset = self.add_weight(name="offset", shape=input_shape[-1:], trainable=True)

    def call(self, x):
        mean, variance = tf.nn.moments(x, axes=[1, 2], keepdims=True)
        return self.scale * (x - mean) * tf.math.rsqrt(variance + self.epsilon) + self.offset


def downsample(filters, norm_type, apply_norm=True):
    result = tf.keras.Sequential()
    result.add(layers.Conv2D(filters, 4, strides=2, padding="same", use_bias=False))
    if apply_norm:
        batch = norm_type == "batchnorm"
        result.add(layers.BatchNormalization() if batch else InstanceNormalization())
    result.add(layers.LeakyReLU())
    return result


def upsample(filters, norm_type, apply_dropout=False):
    result = tf.keras.Sequential()
    result.add(layers.Conv2DTranspose(filters, 4, strides=2, padding="same", use_bias=False))
    result.add(layers.BatchNormalization() if norm_type == "batchnorm" else InstanceNormalization())
    if apply_dropout:
        result.add(layers.Dropout(0.5))
    result.add(layers.ReLU())
    return result


def unet_generator(norm_type="instancenorm"):
    down_stack = [
        downsample(4, norm_type, False),
        downsample(6, norm_type),
        downsample(6, norm_type),
    ]
    up_stack = [upsample(6, norm_type, True), upsample(4, norm_type)]
    last = layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh")
    inputs = layers.Input(shape=[None, None, 3])
    x, skips = inputs, []
    for down in down_stack:
        x = down(x)
        skips.append(x)
    for up, skip in zip(up_stack, reversed(skips[:-1]), strict=True):
        x = layers.Concatenate()([up(x), skip])
    return tf.keras.Model(inputs=inputs, outputs=last(x))


def discriminator(norm_type="instancenorm", target=False):
    inp = layers.Input(shape=[None, None, 3], name="input_image")
    x, inputs = inp, inp
    if target:
        tar = layers.Input(shape=[None, None, 3], name="target_image")
        x, inputs = layers.concatenate([inp, tar]), [inp, tar]
    x = downsample(6, norm_type)(downsample(4, norm_type, False)(x))
    return tf.keras.Model(inputs=inputs, outputs=layers.Conv2D(1, 4, padding="same")(x))


CYCLEGAN = """
[models.NAME]
entry-point = "gans:unet_generator"
checkpoints = ["{here}/checkpoints/train/ckpt-*"]
restore.root = "generator_f"
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.image = { dtype = "float32", shape = ["batch", 16, 16, 3] }
signatures.serving_default.outputs = ["image"]
"""


def save_cyclegan(folder):
    parts = {"generator_g": unet_generator(), "generator_f": unet_generator()}
    parts |= {"discriminator_x": discriminator(), "discriminator_y": discriminator()}
    image = floats(2, 16, 16, 3)
    for seed, (name, part) in enumerate(list(parts.items())):
        trained(part, seed=seed)
        parts[f"{name}_optimizer"] = tf.keras.optimizers.Adam(2e-4, beta_1=0.5)
        fit_once(part, parts[f"{name}_optimizer"], image)
    ckpt = tf.train.Checkpoint(**parts)
    tf.train.CheckpointManager(ckpt, str(folder / "checkpoints/train"), max_to_keep=5).save()
    golden(folder, {"image": image}, {"image": parts["generator_f"](image, training=False)})


@repository(KERAS_2, CYCLEGAN.replace("NAME", "cyclegan"))
def cyclegan(folder):
    save_cyclegan(folder)


@repository(KERAS_3, CYCLEGAN.replace("NAME", "cyclegan-3"))
def cyclegan_3(folder):
    save_cyclegan(folder)


@repository(
    KERAS_2,
    """
[models.pix2pix]
entry-point = "gans:unet_generator"
arguments.norm_type = "batchnorm"
checkpoints = ["{here}/training_checkpoints"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.image = { dtype = "float32", shape = ["batch", 16, 16, 3] }
signatures.serving_default.outputs = ["image"]
""",
)
def pix2pix(folder):
    generator, critic = unet_generator("batchnorm"), discriminator("batchnorm", target=True)
    image = floats(2, 16, 16, 3)
    trained(generator, critic)
    optimizers = [tf.keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)]
    fit_once(generator, optimizers[0], image)
    fit_once(critic, optimizers[1], [image, image])
    checkpoint = tf.train.Checkpoint(
        generator_optimizer=optimizers[0],
        discriminator_optimizer=optimizers[1],
        generator=generator,
        discriminator=critic,
    )
    for _ in range(2):
        checkpoint.save(file_prefix=str(folder / "training_checkpoints/ckpt"))
    golden(folder, {"image": image}, {"image": generator(image, training=False)})


def make_generator_model():
    model = tf.keras.Sequential()
    model.add(layers.Dense(4 * 4 * 6, use_bias=False, input_shape=(10,)))
    model.add(layers.BatchNormalization())
    model.add(layers.LeakyReLU())
    model.add(layers.Reshape((4, 4, 6)))
    model.add(layers.Conv2DTranspose(4, (5, 5), strides=(1, 1), padding="same", use_bias=False))
    model.add(layers.BatchNormalization())
    model.add(layers.LeakyReLU())
    model.add(
        layers.Conv2DTranspose(
            1, (5, 5), strides=(2, 2), padding="same", use_bias=False, activation="tanh"
        )
    )
    return model


def make_discriminator_model():
    model = tf.keras.Sequential()
    model.add(layers.Conv2D(4, (5, 5), strides=(2, 2), padding="same", input_shape=[8, 8, 1]))
    model.add(layers.LeakyReLU())
    model.add(layers.Dropout(0.3))
    model.add(layers.Flatten())
    model.add(layers.Dense(1))
    return model


DCGAN = """
[models.NAME]
entry-point = "gans:make_generator_model"
checkpoints = ["{here}/training_checkpoints/ckpt-*"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.noise = { dtype = "float32", shape = ["batch", 10] }
signatures.serving_default.outputs = ["image"]
"""


def save_dcgan(folder):
    generator, critic = make_generator_model(), make_discriminator_model()
    trained(generator, critic)
    noise = floats(3, 10)
    optimizers = [tf.keras.optimizers.Adam(1e-4) for _ in range(2)]
    fit_once(generator, optimizers[0], noise)
    fit_once(critic, optimizers[1], floats(2, 8, 8, 1))
    checkpoint = tf.train.Checkpoint(
        generator_optimizer=optimizers[0],
        discriminator_optimizer=optimizers[1],
        generator=generator,
        discriminator=critic,
    )
    checkpoint.save(file_prefix=str(folder / "training_checkpoints/ckpt"))
    golden(folder, {"noise": noise}, {"image": generator(noise, training=False)})


@repository(KERAS_2, DCGAN.replace("NAME", "dcgan"))
def dcgan(folder):
    save_dcgan(folder)


@repository(KERAS_3, DCGAN.replace("NAME", "dcgan-3"))
def dcgan_3(folder):
    save_dcgan(folder)


class PixelShuffle(layers.Layer):
    def __init__(self, scale, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, x):
        return tf.nn.depth_to_space(x, self.scale)


def sr_resnet(filters=4, blocks=2):
    x_in = layers.Input(shape=(None, None, 3))
    x = layers.Lambda(lambda image: image / 255.0)(x_in)
    x = x_1 = layers.PReLU(shared_axes=[1, 2])(layers.Conv2D(filters, 9, padding="same")(x))
    for _ in range(blocks):
        y = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same")(x))
        y = layers.PReLU(shared_axes=[1, 2])(y)
        y = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same")(y))
        x = layers.Add()([x, y])
    x = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same")(x))
    x = layers.Add()([x, x_1])
    for _ in range(2):
        x = layers.Conv2D(filters * 4, 3, padding="same")(x)
        x = layers.PReLU(shared_axes=[1, 2])(PixelShuffle(2)(x))
    x = layers.Conv2D(3, 9, padding="same", activation="tanh")(x)
    return tf.keras.Model(x_in, layers.Lambda(lambda image: (image + 1) * 127.5)(x))


@repository(
    KERAS_2,
    """
[models.super-resolution]
entry-point = "gans:sr_resnet"
checkpoints = ["{here}/.ckpt/srgan/ckpt-*"]
verify = { golden = "{here}/golden.npz", atol = 1e-3 }
[models.super-resolution.signatures.serving_default]
inputs.image = { dtype = "float32", shape = ["batch", "height", "width", 3] }
outputs = ["image"]
""",
)
def super_resolution(folder):
    """Beside the model a best score, as a float variable of its own."""
    model, image = sr_resnet(), floats(1, 6, 5, 3) * 100 + 120
    trained(model)
    optimizer = tf.keras.optimizers.Adam(
        tf.keras.optimizers.schedules.PiecewiseConstantDecay(boundaries=[200], values=[1e-4, 5e-5])
    )
    fit_once(model, optimizer, image)
    checkpoint = tf.train.Checkpoint(
        step=tf.Variable(0), psnr=tf.Variable(-1.0), optimizer=optimizer, model=model
    )
    manager = tf.train.CheckpointManager(checkpoint, str(folder / ".ckpt/srgan"), max_to_keep=3)
    manager.save()
    golden(folder, {"image": image}, {"image": model(image, training=False)})
