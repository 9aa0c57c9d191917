"""The model, as code: what a checkpoint does not hold."""

import keras


def build(width: int = 16) -> keras.Model:
    """A small convolutional network for 8x8 grey images with values from 0 to 1."""
    image = keras.Input((8, 8, 1), name="image")
    x = keras.layers.Conv2D(width, 3, padding="same", use_bias=False)(image)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Activation("relu")(x)
    x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Conv2D(2 * width, 3, padding="same", activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(0.2)(x)
    digit = keras.layers.Dense(10, name="digit")(x)
    return keras.Model(image, digit)
