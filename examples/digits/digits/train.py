"""Train on scikit-learn's bundled digits: `python -m digits.train` in this folder.

Leaves `runs/digits/ckpt-<step>` and the golden file that the export is checked against.
"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

from ckpt_action import record_golden
from digits.model import build

FOLDER = Path(__file__).resolve().parent.parent


def main(epochs: int = 40, batch: int = 32) -> None:
    keras.utils.set_random_seed(7)
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype("float32").reshape(-1, 8, 8, 1)
    order = np.random.default_rng(7).permutation(len(images))
    train, test = order[300:], order[:300]

    model = build()
    optimizer = keras.optimizers.Adam(2e-3)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
    manager = tf.train.CheckpointManager(checkpoint, str(FOLDER / "runs/digits"), max_to_keep=1)

    @tf.function
    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            value = loss(y, model(x, training=True))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))

    data = tf.data.Dataset.from_tensor_slices((images[train], labels[train]))
    for _ in range(epochs):
        for x, y in data.shuffle(2000, seed=7).batch(batch):
            step(x, y)

    right = np.argmax(model.predict(images[test], verbose=0), axis=1) == labels[test]
    print(f"{right.mean():.1%} of {len(test)} unseen digits are right")
    manager.save(checkpoint_number=epochs)
    record_golden(
        FOLDER / "golden/digits.npz", lambda image: {"digit": model(image)}, image=images[test[:32]]
    )


if __name__ == "__main__":
    main()
