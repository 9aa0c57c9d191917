"""Self-supervised and generative: a part of what was trained is what is exported."""

import tensorflow as tf
from repository import KERAS_2, KERAS_3, fit_once, floats, golden, repository, trained

layers = tf.keras.layers


def encoder():
    return tf.keras.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Conv2D(4, 3, strides=2, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(6, activation="relu"),
        ],
        name="encoder",
    )


class SimCLR(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.augmenter = tf.keras.Sequential(
            [layers.Input((8, 8, 3)), layers.Rescaling(0.5), layers.RandomFlip("horizontal")]
        )
        self.encoder = encoder()
        self.projection_head = tf.keras.Sequential(
            [layers.Input((6,)), layers.Dense(6, activation="relu"), layers.Dense(4)]
        )

    def call(self, x, training=False):
        features = self.encoder(self.augmenter(x, training=training), training=training)
        return self.projection_head(features)


def simclr():
    return SimCLR()


SIMCLR = """
[models.NAME-encoder]
entry-point = "representation:encoder"
checkpoints = ["{here}/ckpt"]
restore.root = "model.encoder"
verify.golden = "{here}/encoder.npz"
signatures.serving_default.inputs.image = { dtype = "float32", shape = ["batch", 8, 8, 3] }
signatures.serving_default.outputs = ["features"]
[models.NAME]
entry-point = "representation:simclr"
checkpoints = ["{here}/ckpt"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.image = { dtype = "float32", shape = ["batch", 8, 8, 3] }
signatures.serving_default.outputs = ["projection"]
"""


def save_simclr(folder):
    model, image = simclr(), floats(2, 8, 8, 3)
    model(image)
    trained(model)
    optimizer = tf.keras.optimizers.Adam()
    fit_once(model, optimizer, image)
    epoch = tf.Variable(3)
    checkpoint = tf.train.Checkpoint(model=model, contrastive_optimizer=optimizer, epoch=epoch)
    tf.train.CheckpointManager(checkpoint, str(folder / "ckpt"), max_to_keep=2).save()
    golden(folder, {"image": image}, {"features": model.encoder(image)}, "encoder")
    golden(folder, {"image": image}, {"projection": model(image)})


@repository(KERAS_2, SIMCLR.replace("NAME", "simclr"))
def contrastive(folder):
    save_simclr(folder)


@repository(KERAS_3, SIMCLR.replace("NAME", "simclr-3"))
def contrastive_3(folder):
    save_simclr(folder)


class BYOL(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.online_encoder, self.target_encoder = encoder(), encoder()
        self.predictor = layers.Dense(6)

    def call(self, x):
        return self.predictor(self.online_encoder(x)), self.target_encoder(x)


@repository(
    KERAS_2,
    """
[models.byol]
entry-point = "representation:encoder"
checkpoints = ["{here}/byol-*"]
restore.root = "online_encoder"
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.image = { dtype = "float32", shape = ["batch", 8, 8, 3] }
signatures.serving_default.outputs = ["features"]
""",
)
def byol(folder):
    """The model itself is the root, and two of its parts are alike."""
    model, image = BYOL(), floats(2, 8, 8, 3)
    model(image)
    trained(model)
    trained(model.target_encoder, seed=9)
    tf.train.Checkpoint(model).write(str(folder / "byol-3"))
    golden(folder, {"image": image}, {"features": model.online_encoder(image)})


class EqualizedDense(layers.Layer):
    def __init__(self, units, rate=1.0, **options):
        super().__init__(**options)
        self.units, self.rate = units, rate

    def build(self, shape):
        self.w = self.add_weight(name="w", shape=(int(shape[-1]), self.units))
        self.b = self.add_weight(name="b", shape=(self.units,), initializer="zeros")
        self.scale = self.rate / float(int(shape[-1])) ** 0.5

    def call(self, x):
        return x @ (self.w * self.scale) + self.b * self.rate


class StyleBlock(layers.Layer):
    def __init__(self, filters):
        super().__init__()
        self.filters = filters
        self.conv = layers.Conv2D(filters, 3, padding="same")
        self.style = EqualizedDense(filters * 2)

    def build(self, shape):
        self.noise_strength = self.add_weight(name="noise_strength", shape=(1,))
        super().build(shape)

    def call(self, x, w, noise):
        x = self.conv(x) + noise * self.noise_strength
        scale, shift = tf.split(tf.reshape(self.style(w), (-1, 1, 1, 2 * self.filters)), 2, -1)
        return tf.nn.leaky_relu(x * (scale + 1) + shift, 0.2)


class StyleGAN(tf.keras.Model):
    """A learned constant, an average of latents, blocks in a list and outputs in a dict."""

    def __init__(self):
        super().__init__()
        self.mapping = tf.keras.Sequential(
            [layers.Input((4,)), EqualizedDense(5, 0.5), EqualizedDense(5, 0.5)]
        )
        self.synthesis_blocks = [StyleBlock(4), StyleBlock(3)]
        self.to_rgb = {"4": layers.Conv2D(3, 1), "8": layers.Conv2D(3, 1)}

    def build(self, shape=None):
        self.const = self.add_weight(name="const", shape=(1, 4, 4, 4))
        self.w_avg = self.add_weight(name="w_avg", shape=(5,), trainable=False)
        self.built = True

    def call(self, inputs):
        z, noise = inputs
        w = self.w_avg + 0.7 * (self.mapping(z) - self.w_avg)
        x = self.synthesis_blocks[0](tf.repeat(self.const, tf.shape(z)[0], 0), w, noise)
        return self.to_rgb["4"](x) + self.to_rgb["8"](self.synthesis_blocks[1](x, w, noise))


def stylegan():
    return StyleGAN()


@repository(
    KERAS_2,
    """
[models.stylegan]
entry-point = "representation:stylegan"
checkpoints = ["{here}/ckpt"]
restore.root = "g_clone"
verify.golden = "{here}/golden.npz"
[models.stylegan.signatures.serving_default]
inputs.z = { dtype = "float32", shape = ["batch", 4] }
inputs.noise = { dtype = "float32", shape = ["batch", 4, 4, 1] }
outputs = ["image"]
""",
)
def style_gan(folder):
    """The averaged generator is a model of its own beside the trained one."""
    z, noise = floats(2, 4), floats(2, 4, 4, 1)
    generators = [stylegan(), stylegan()]
    for seed, generator in enumerate(generators):
        generator((z, noise))
        trained(generator, seed=seed)
    optimizer = tf.keras.optimizers.Adam()
    fit_once(generators[0], optimizer, (z, noise))
    checkpoint = tf.train.Checkpoint(
        generator=generators[0], g_clone=generators[1], g_optimizer=optimizer
    )
    tf.train.CheckpointManager(checkpoint, str(folder / "ckpt"), max_to_keep=1).save()
    golden(folder, {"z": z, "noise": noise}, {"image": generators[1]((z, noise))})
