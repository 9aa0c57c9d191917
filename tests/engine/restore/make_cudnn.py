"""Writes `data/cudnn`: run with TF_USE_LEGACY_KERAS=1 and tf_keras.

Files of CuDNNLSTM and CuDNNGRU, and what `load_weights` of tf_keras makes of them for LSTM and GRU.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from architectures import cudnn_inputs, recurrent
from restoring import DATA


def main():
    from tf_keras.src.layers.rnn.cudnn_gru import CuDNNGRU
    from tf_keras.src.layers.rnn.cudnn_lstm import CuDNNLSTM

    keras, folder = tf.keras, DATA / "cudnn"
    folder.mkdir(exist_ok=True)
    model = recurrent(keras, CuDNNLSTM, CuDNNGRU)
    rng = np.random.default_rng(3)
    for variable in model.weights:
        variable.assign(rng.normal(0, 0.5, variable.shape))
    model.save_weights(str(folder / "w.h5"))
    model.save(str(folder / "whole.h5"))
    model.save_weights(str(folder / "ck"))
    (folder / "checkpoint").unlink()
    loaded = recurrent(keras)
    loaded.load_weights(str(folder / "w.h5"))
    values = {f"v{number}": v.numpy() for number, v in enumerate(loaded.weights)}
    np.savez(folder / "golden.npz", y=loaded(cudnn_inputs()), **values)


if __name__ == "__main__":
    main()
