"""What TensorFlow reads from the checkpoints named on the command line: pickled to stdout."""

from __future__ import annotations

import os
import pickle
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf


def main() -> None:
    read = {}
    for prefix in sys.argv[1:]:
        reader = tf.train.load_checkpoint(prefix)
        dtypes = reader.get_variable_to_dtype_map()
        values = {}
        for name, shape in tf.train.list_variables(prefix):
            value = None
            if dtypes[name] not in (tf.variant, tf.resource):
                tensor = np.asarray(reader.get_tensor(name))
                strings = dtypes[name] == tf.string
                value = tensor.reshape(-1).tolist() if strings else tensor.tobytes()
            values[name] = (dtypes[name].name, tuple(shape), value)
        read[prefix] = values
    sys.stdout.buffer.write(pickle.dumps(read))


if __name__ == "__main__":
    main()
