"""The transformer tutorial: encoder and decoder layers in lists, a learning rate schedule."""

import numpy as np
import tensorflow as tf
from repository import KERAS_2, KERAS_3, fit_once, golden, ids, repository, trained

layers = tf.keras.layers


def positional_encoding(length, depth):
    positions = np.arange(length)[:, np.newaxis]
    depths = np.arange(depth // 2)[np.newaxis, :] / (depth // 2)
    angles = positions / (10000**depths)
    return tf.cast(np.concatenate([np.sin(angles), np.cos(angles)], axis=-1), tf.float32)


class PositionalEmbedding(layers.Layer):
    def __init__(self, vocab_size, d_model):
        super().__init__()
        self.d_model = d_model
        self.embedding = layers.Embedding(vocab_size, d_model)
        self.pos_encoding = positional_encoding(64, d_model)

    def call(self, x):
        length = tf.shape(x)[1]
        x = self.embedding(x) * tf.math.sqrt(tf.cast(self.d_model, tf.float32))
        return x + self.pos_encoding[tf.newaxis, :length, :]


class BaseAttention(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__()
        self.mha = layers.MultiHeadAttention(**kwargs)
        self.layernorm = layers.LayerNormalization()
        self.add = layers.Add()


class CrossAttention(BaseAttention):
    def call(self, x, context):
        return self.layernorm(self.add([x, self.mha(query=x, key=context, value=context)]))


class GlobalSelfAttention(BaseAttention):
    def call(self, x):
        return self.layernorm(self.add([x, self.mha(query=x, value=x, key=x)]))


class CausalSelfAttention(BaseAttention):
    def call(self, x):
        attended = self.mha(query=x, value=x, key=x, use_causal_mask=True)
        return self.layernorm(self.add([x, attended]))


class FeedForward(layers.Layer):
    def __init__(self, d_model, dff, dropout_rate=0.1):
        super().__init__()
        self.seq = tf.keras.Sequential(
            [
                layers.Dense(dff, activation="relu"),
                layers.Dense(d_model),
                layers.Dropout(dropout_rate),
            ]
        )
        self.add = layers.Add()
        self.layer_norm = layers.LayerNormalization()

    def call(self, x):
        return self.layer_norm(self.add([x, self.seq(x)]))


class EncoderLayer(layers.Layer):
    def __init__(self, *, d_model, num_heads, dff):
        super().__init__()
        self.self_attention = GlobalSelfAttention(num_heads=num_heads, key_dim=d_model, dropout=0.1)
        self.ffn = FeedForward(d_model, dff)

    def call(self, x):
        return self.ffn(self.self_attention(x))


class Encoder(layers.Layer):
    def __init__(self, *, num_layers, d_model, num_heads, dff, vocab_size):
        super().__init__()
        self.pos_embedding = PositionalEmbedding(vocab_size, d_model)
        self.enc_layers = [
            EncoderLayer(d_model=d_model, num_heads=num_heads, dff=dff) for _ in range(num_layers)
        ]
        self.dropout = layers.Dropout(0.1)

    def call(self, x):
        x = self.dropout(self.pos_embedding(x))
        for layer in self.enc_layers:
            x = layer(x)
        return x


class DecoderLayer(layers.Layer):
    def __init__(self, *, d_model, num_heads, dff):
        super().__init__()
        self.causal_self_attention = CausalSelfAttention(num_heads=num_heads, key_dim=d_model)
        self.cross_attention = CrossAttention(num_heads=num_heads, key_dim=d_model)
        self.ffn = FeedForward(d_model, dff)

    def call(self, x, context):
        return self.ffn(self.cross_attention(x=self.causal_self_attention(x=x), context=context))


class Decoder(layers.Layer):
    def __init__(self, *, num_layers, d_model, num_heads, dff, vocab_size):
        super().__init__()
        self.pos_embedding = PositionalEmbedding(vocab_size, d_model)
        self.dropout = layers.Dropout(0.1)
        self.dec_layers = [
            DecoderLayer(d_model=d_model, num_heads=num_heads, dff=dff) for _ in range(num_layers)
        ]

    def call(self, x, context):
        x = self.dropout(self.pos_embedding(x))
        for layer in self.dec_layers:
            x = layer(x, context)
        return x


class Transformer(tf.keras.Model):
    def __init__(self, *, num_layers=2, d_model=6, num_heads=2, dff=8, source=13, target=15):
        super().__init__()
        sizes = {"num_layers": num_layers, "d_model": d_model, "num_heads": num_heads, "dff": dff}
        self.encoder = Encoder(vocab_size=source, **sizes)
        self.decoder = Decoder(vocab_size=target, **sizes)
        self.final_layer = layers.Dense(target)

    def call(self, inputs):
        context, x = inputs
        context = self.encoder(context)
        return self.final_layer(self.decoder(x, context))


class CustomSchedule(tf.keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, d_model, warmup_steps=4000):
        super().__init__()
        self.d_model = tf.cast(d_model, tf.float32)
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        return tf.math.rsqrt(self.d_model) * tf.minimum(
            tf.math.rsqrt(step + 1.0), step * (self.warmup_steps**-1.5)
        )


def transformer():
    return Transformer()


TABLE = """
[models.NAME]
entry-point = "translation:transformer"
checkpoints = ["{here}/CHECKPOINTS"]
verify.golden = "{here}/golden.npz"
[models.NAME.signatures.serving_default]
inputs.context = { dtype = "int32", shape = ["batch", "source"] }
inputs.x = { dtype = "int32", shape = ["batch", "target"] }
outputs = ["logits"]
"""


def table(name, checkpoints):
    return TABLE.replace("NAME", name).replace("CHECKPOINTS", checkpoints)


def made(folder):
    model = transformer()
    context, x = ids(2, 7, below=13), ids(2, 5, below=15, seed=2)
    model((context, x))
    trained(model)
    optimizer = tf.keras.optimizers.Adam(CustomSchedule(6), beta_1=0.9, beta_2=0.98, epsilon=1e-9)
    fit_once(model, optimizer, (context, x))
    golden(folder, {"context": context, "x": x}, {"logits": model((context, x))})
    return model, optimizer


@repository(KERAS_2, table("translator", "checkpoints/train"))
def translator(folder):
    model, optimizer = made(folder)
    ckpt = tf.train.Checkpoint(transformer=model, optimizer=optimizer)
    tf.train.CheckpointManager(ckpt, str(folder / "checkpoints/train"), max_to_keep=5).save()


@repository(KERAS_3, table("translator-3", "checkpoints/train"))
def translator_3(folder):
    """The same tutorial with Keras 3, whose checkpoints see no layer in a list."""
    model, optimizer = made(folder)
    ckpt = tf.train.Checkpoint(transformer=model, optimizer=optimizer)
    tf.train.CheckpointManager(ckpt, str(folder / "checkpoints/train"), max_to_keep=5).save()


@repository(KERAS_2, table("translator-weights", "weights/cp-*.ckpt"))
def translator_weights(folder):
    """ModelCheckpoint(save_weights_only=True) with the epoch in the name."""
    model, _ = made(folder)
    for epoch in (5, 10):
        model.save_weights(str(folder / f"weights/cp-{epoch:04d}.ckpt"))
