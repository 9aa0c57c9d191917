"""Attention models."""

import tensorflow as tf
from tensorflow.keras import Model, layers

from architectures.registry import architecture, floats, ids


@architecture(x=floats("batch", 5, 4))
def attention():
    inputs = layers.Input((5, 4))
    y = layers.MultiHeadAttention(2, 3)(inputs, inputs)
    x = layers.LayerNormalization()(layers.Add()([inputs, y]))
    y = layers.Dense(4, activation="gelu")(x)
    x = layers.LayerNormalization()(layers.Add()([x, y]))
    return Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))


class TransformerBlock(layers.Layer):
    """The text classification example of keras.io."""

    def __init__(self, width, heads, inner):
        super().__init__()
        self.att = layers.MultiHeadAttention(num_heads=heads, key_dim=width)
        self.ffn = tf.keras.Sequential(
            [layers.Dense(inner, activation="relu"), layers.Dense(width)]
        )
        self.layernorm1 = layers.LayerNormalization(epsilon=1e-6)
        self.layernorm2 = layers.LayerNormalization(epsilon=1e-6)
        self.dropout1 = layers.Dropout(0.1)
        self.dropout2 = layers.Dropout(0.1)

    def call(self, x, training=False):
        y = self.dropout1(self.att(x, x), training=training)
        x = self.layernorm1(x + y)
        y = self.dropout2(self.ffn(x), training=training)
        return self.layernorm2(x + y)


class TokenAndPosition(layers.Layer):
    def __init__(self, length, vocabulary, width):
        super().__init__()
        self.token_emb = layers.Embedding(input_dim=vocabulary, output_dim=width)
        self.pos_emb = layers.Embedding(input_dim=length, output_dim=width)

    def call(self, x):
        positions = tf.range(start=0, limit=tf.shape(x)[-1], delta=1)
        return self.token_emb(x) + self.pos_emb(positions)


@architecture(ids=ids("batch", 5, below=11))
def text_transformer():
    inputs = layers.Input((5,), dtype="int32")
    x = TokenAndPosition(5, 11, 4)(inputs)
    x = TransformerBlock(4, 2, 6)(x)
    x = layers.GlobalAveragePooling1D()(x)
    return Model(inputs, layers.Dense(2, activation="softmax")(layers.Dropout(0.1)(x)))


class OwnAttention(layers.Layer):
    """The transformer tutorial: wq, wk, wv by hand."""

    def __init__(self, width, heads):
        super().__init__()
        self.width, self.heads = width, heads
        self.wq = layers.Dense(width)
        self.wk = layers.Dense(width)
        self.wv = layers.Dense(width)
        self.dense = layers.Dense(width)

    def split(self, x):
        shape = tf.shape(x)
        x = tf.reshape(x, (shape[0], shape[1], self.heads, self.width // self.heads))
        return tf.transpose(x, (0, 2, 1, 3))

    def call(self, v, k, q, mask=None):
        q, k, v = self.split(self.wq(q)), self.split(self.wk(k)), self.split(self.wv(v))
        logits = tf.matmul(q, k, transpose_b=True) / tf.sqrt(float(self.width // self.heads))
        if mask is not None:
            logits += mask * -1e9
        x = tf.transpose(tf.matmul(tf.nn.softmax(logits), v), (0, 2, 1, 3))
        shape = tf.shape(x)
        return self.dense(tf.reshape(x, (shape[0], shape[1], self.width)))


class EncoderLayer(layers.Layer):
    def __init__(self, width, heads):
        super().__init__()
        self.mha = OwnAttention(width, heads)
        self.ffn = tf.keras.Sequential([layers.Dense(6, activation="relu"), layers.Dense(width)])
        self.norms = [layers.LayerNormalization() for _ in range(2)]

    def call(self, x, training=False):
        x = self.norms[0](x + self.mha(x, x, x))
        return self.norms[1](x + self.ffn(x))


class MiniGPT(tf.keras.Model):
    """Decoder blocks in a list: a Keras 3 checkpoint does not hold them."""

    def __init__(self, vocabulary=9, width=4, depth=2):
        super().__init__()
        self.embedding = layers.Embedding(vocabulary, width)
        self.enc_layers = [EncoderLayer(width, 2) for _ in range(depth)]
        self.final = layers.Dense(vocabulary, use_bias=False)

    def call(self, ids, training=False):
        x = self.embedding(ids)
        for layer in self.enc_layers:
            x = layer(x, training=training)
        return self.final(x)


@architecture(ids=ids("batch", "time", below=9))
def mini_gpt():
    return MiniGPT()


class Patches(layers.Layer):
    """A class token and positions as weights, as vision transformers have them."""

    def __init__(self, count, width):
        super().__init__()
        self.count, self.width = count, width
        self.projection = layers.Conv2D(width, 2, strides=2)

    def build(self, input_shape):
        self.cls = self.add_weight(name="cls", shape=(1, 1, self.width), initializer="zeros")
        self.pos = self.add_weight(name="pos", shape=(1, self.count + 1, self.width))
        super().build(input_shape)

    def call(self, x):
        x = tf.reshape(self.projection(x), (tf.shape(x)[0], self.count, self.width))
        cls = tf.tile(tf.convert_to_tensor(self.cls), (tf.shape(x)[0], 1, 1))
        return tf.concat([cls, x], axis=1) + self.pos


@architecture(x=floats("batch", 4, 4, 2))
def vision_transformer():
    inputs = layers.Input((4, 4, 2))
    x = Patches(4, 4)(inputs)
    for _ in range(2):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = layers.Add()([x, layers.MultiHeadAttention(2, 2)(y, y)])
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        y = layers.Dense(6, activation="gelu")(y)
        x = layers.Add()([x, layers.Dense(4)(y)])
    return Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
