"""Recurrent models: built-in and custom cells, wrappers, state."""

import tensorflow as tf
from tensorflow.keras import Model, layers

from architectures.registry import architecture, floats, ids


@architecture(x=floats("batch", "time", 3))
def lstm():
    return tf.keras.Sequential(
        [
            layers.Input((None, 3)),
            layers.LSTM(4, return_sequences=True),
            layers.LSTM(4),
            layers.Dense(2),
        ]
    )


@architecture(x=floats("batch", "time", 3))
def gru_both_forms():
    inputs = layers.Input((None, 3))
    x = layers.GRU(4, return_sequences=True, reset_after=True)(inputs)
    x = layers.GRU(4, return_sequences=True, reset_after=False)(x)
    x = layers.SimpleRNN(3)(x)
    return Model(inputs, layers.Dense(2)(x))


@architecture(ids=ids("batch", "time", below=12))
def bidirectional():
    inputs = layers.Input((None,), dtype="int32")
    x = layers.Embedding(12, 4, mask_zero=True)(inputs)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    x = layers.Bidirectional(layers.GRU(3), merge_mode="sum")(x)
    return Model(inputs, layers.Dense(2)(x))


@architecture(x=floats("batch", 5, 3))
def bidirectional_two_layers():
    """The backward layer is a layer of its own."""
    forward = layers.LSTM(3, return_sequences=True)
    backward = layers.GRU(3, return_sequences=True, go_backwards=True)
    return tf.keras.Sequential(
        [
            layers.Input((5, 3)),
            layers.Bidirectional(forward, backward_layer=backward),
            layers.TimeDistributed(layers.Dense(2)),
        ]
    )


@architecture(x=floats("batch", 5, 3))
def stacked_cells():
    inputs = layers.Input((5, 3))
    cells = layers.StackedRNNCells([layers.LSTMCell(4), layers.GRUCell(4), layers.SimpleRNNCell(3)])
    x = layers.RNN(cells, return_sequences=True)(inputs)
    x = layers.RNN([layers.LSTMCell(3), layers.LSTMCell(3)])(x)
    return Model(inputs, layers.Dense(2)(x))


class MinimalCell(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape):
        self.w_in = self.add_weight(name="kernel", shape=(input_shape[-1], self.units))
        self.w_state = self.add_weight(name="recurrent_kernel", shape=(self.units, self.units))
        self.built = True

    def call(self, inputs, states):
        output = tf.tanh(tf.matmul(inputs, self.w_in) + tf.matmul(states[0], self.w_state))
        return output, [output]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@architecture(x=floats("batch", 5, 3))
def custom_cell():
    return tf.keras.Sequential(
        [
            layers.Input((5, 3)),
            layers.RNN(MinimalCell(4), return_sequences=True),
            layers.RNN(MinimalCell(3)),
            layers.Dense(2),
        ]
    )


@architecture(ids=ids(1, "time", below=10))
def stateful_text():
    """Trained in large batches, rebuilt for a batch of one to generate text."""
    return tf.keras.Sequential(
        [
            tf.keras.Input(shape=(None,), batch_size=1, dtype="int32"),
            layers.Embedding(10, 4),
            layers.LSTM(5, return_sequences=True, stateful=True),
            layers.GRU(4, return_sequences=True, stateful=True),
            layers.Dense(10),
        ]
    )


@architecture(x=floats("batch", 4, 6, 6, 1))
def video():
    inputs = layers.Input((4, 6, 6, 1))
    x = layers.TimeDistributed(layers.Conv2D(3, 3))(inputs)
    x = layers.TimeDistributed(layers.BatchNormalization())(x)
    x = layers.ConvLSTM2D(2, 3)(x)
    return Model(inputs, layers.Dense(2)(layers.Flatten()(x)))


@architecture(x=floats("batch", 5, 3))
def recurrent_dropout():
    """Dropout inside the cells brings seeds in Keras 3, and none in Keras 2."""
    return tf.keras.Sequential(
        [
            layers.Input((5, 3)),
            layers.LSTM(4, dropout=0.2, recurrent_dropout=0.3, return_sequences=True),
            layers.GaussianNoise(0.1),
            layers.GRU(3, dropout=0.1),
            layers.Dense(2),
        ]
    )


@architecture(x=floats("batch", 5, 3))
def hard_sigmoid():
    """The same word means another function in Keras 2 and 3."""
    return tf.keras.Sequential(
        [
            layers.Input((5, 3)),
            layers.LSTM(4, recurrent_activation="hard_sigmoid", name="memory"),
            layers.Dense(3, activation="hard_sigmoid", name="gate"),
        ]
    )


class CharModel(tf.keras.Model):
    """The text generation tutorial."""

    def __init__(self, vocabulary, width, units):
        super().__init__()
        self.embedding = layers.Embedding(vocabulary, width)
        self.gru = layers.GRU(units, return_sequences=True, return_state=True)
        self.dense = layers.Dense(vocabulary)

    def call(self, inputs, training=False):
        x = self.embedding(inputs, training=training)
        x, _ = self.gru(x, training=training)
        return self.dense(x, training=training)


@architecture(ids=ids("batch", "time", below=9))
def char_rnn():
    return CharModel(9, 4, 5)
